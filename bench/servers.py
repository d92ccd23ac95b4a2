"""What is measured: an origin, and the caches that stand before it, each with one worker on one core."""

import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = ROOT / "build" / "bench"
BODY = json.dumps({"total": 500, "limit": 20, "offset": 0, "items": [
    {"id": i, "title": f"post-{i}", "category": "tech" if i % 2 == 0 else "life", "note": "lorem ipsum"}
    for i in range(1, 19)]}).encode().ljust(1300)[:1300]
TICK = os.sysconf("SC_CLK_TCK")
SERVER_CORE, LOAD_CORE = "0", "1"


class Origin(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(BODY)))
        self.send_header("Cache-Control", "public, max-age=3600")
        self.send_header("ETag", '"bench-1"')
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        pass


class OriginServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Caches close their connections when they are stopped: no news."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, process, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"bench: {process.args[0]} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"bench: nothing listens on {port}")


def tree(pid):
    """The process and all its descendants."""
    found = [pid]
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parent = int(open(f"/proc/{entry}/stat").read().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            if parent == pid:
                found += tree(int(entry))
    return found


def cpu_seconds(pid):
    total = 0
    for each in tree(pid):
        try:
            fields = open(f"/proc/{each}/stat").read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def start(argv, **kwargs):
    return subprocess.Popen(["taskset", "-c", SERVER_CORE, *map(str, argv)], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, start_new_session=True, **kwargs)


def start_echo(port, origin, folder):
    return start([BIN / "bench/bench_echo", port, len(BODY)])


def start_etage(port, origin, folder, *more):
    return start([BIN / "etage", "run", "--origin", f"http://127.0.0.1:{origin}", "--listen", f"127.0.0.1:{port}",
                  "--admin", f"127.0.0.1:{free_port()}", "--threads", 1, *more], cwd=folder)


def start_etage_limited(port, origin, folder):
    """What a limit costs those whom it lets in: it is looked at, and told with every answer."""
    (folder / "limited.toml").write_text('[[limit]]\nname = "each"\nrate = "100000000/s"\nby = "ip"\n')
    return start_etage(port, origin, folder, "--config", folder / "limited.toml")


def start_nginx(port, origin, folder):
    (folder / "nginx.conf").write_text(f"""
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; tcp_nodelay on; sendfile on; gzip on; gzip_types application/json;
  proxy_cache_path {folder}/nginx-cache keys_zone=c:10m; proxy_temp_path {folder}/t1; client_body_temp_path {folder}/t2;
  fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{origin}; proxy_cache c; proxy_force_ranges on; }} }}
}}""")
    return start([shutil.which("nginx") or "/usr/sbin/nginx", "-c", folder / "nginx.conf"])


def start_haproxy(port, origin, folder):
    (folder / "haproxy.cfg").write_text(f"""
global
  nbthread 1
  maxconn 2000
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
cache c
  total-max-size 64
  max-age 3600
frontend f
  bind 127.0.0.1:{port}
  http-request cache-use c
  http-response cache-store c
  default_backend b
backend b
  http-request cache-use c
  http-response cache-store c
  server o 127.0.0.1:{origin}
""")
    return start([shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", folder / "haproxy.cfg"])


def start_varnish(port, origin, folder):
    return start([shutil.which("varnishd") or "/usr/sbin/varnishd", "-F", "-n", folder / "varnish", "-a",
                  f"127.0.0.1:{port}", "-b", f"127.0.0.1:{origin}", "-s", "malloc,64m", "-p", "thread_pools=1"])


SERVERS = {"echo": start_echo, "etage": start_etage, "limited": start_etage_limited, "haproxy": start_haproxy,
           "nginx": start_nginx, "varnish": start_varnish}
TITLES = {"echo": "bare epoll echo, no HTTP", "etage": "**Etage**", "limited": "Etage, with a limit for each client",
          "haproxy": "HAProxy 2.6 cache", "nginx": "nginx 1.22 proxy_cache", "varnish": "Varnish 7.1"}
