# Ends the process whose id is in a file, and comes back once it has ended: `stop.sh PID_FILE`.
id=$(cat "$1") || exit 1
kill "$id" || exit 1
# One that has ended and that nobody has asked about yet does nothing any more.
while [ -d "/proc/$id" ] && ! grep -q '^State:.Z' "/proc/$id/status"; do sleep 0.02; done
rm "$1"
