// Loaded before the suite's origin, which would listen on every address of the machine: here it listens on loopback.
import net from 'node:net'

const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (port) { return listen.call(this, Number(port), '127.0.0.1') }
