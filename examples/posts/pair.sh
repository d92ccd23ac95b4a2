#!/bin/sh
# Two demo instances on one private Redis: what one fetches, the other finds; what one invalidates is gone on the other.
# usage: pair.sh ETAGE-BINARY [--once]     --once: show it and stop, else they run until Ctrl-C
set -eu
etage=$1
once=${2:-}
home=$(mktemp -d "${TMPDIR:-/tmp}/etage-pair.XXXXXX")
pids=

cleanup() {
    trap - EXIT INT TERM
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$home"
}
trap cleanup EXIT
trap 'exit 0' INT TERM

await() {   # seconds, what, command…
    tries=$(($1 * 20)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { echo "pair: $what did not come up; see below" >&2; cat "$home"/*.log >&2; exit 1; }
        sleep 0.05
    done
}

redis-server --port 0 --unixsocket "$home/redis.sock" --save "" --appendonly no --dir "$home" >"$home/redis.log" 2>&1 &
pids="$pids $!"
await 10 "redis-server" redis-cli -s "$home/redis.sock" ping

instance() {   # name
    "$etage" demo --listen 127.0.0.1:0 --admin 127.0.0.1:0 --db "$home/posts.db" --redis "unix://$home/redis.sock" \
        >"$home/$1.log" 2>&1 &
    pids="$pids $!"
    await 20 "instance $1" grep -q '(admin)' "$home/$1.log"
}
address() { sed -n "s|^listening on \(http://[^ ]*\)$2\$|\1|p" "$home/$1.log" | head -1; }
# As behind a load balancer: the host is part of every key.
ask() { curl -s -o /dev/null -D - -H 'Host: api.example' "$@" | tr -d '\r' | grep -iE '^(cache-status|etage-seq):' | sed 's/^/      /'; }

instance one
instance two
one=$(address one '') two=$(address two '')
cat <<TEXT

  one    $one/posts    $(address one ' (admin)')/
  two    $two/posts    $(address two ' (admin)')/
  Redis  unix://$home/redis.sock

1. one fetches a list, and keeps it in memory and in Redis
$(ask "$one/posts?limit=3")
2. two finds it there
$(ask "$two/posts?limit=3")
3. and has it in memory from then on
$(ask "$two/posts?limit=3")
4. one changes a post: the answer carries the position of the invalidation in the log
$(ask -X PATCH -H 'Content-Type: application/json' -d '{"title":"fresh"}' "$one/posts/2")
5. the list with that post is gone on two
$(ask "$two/posts?limit=3")
6. and one finds what two has fetched
$(ask "$one/posts?limit=3")

TEXT
[ -z "$once" ] || exit 0
echo "They run until Ctrl-C."
wait
