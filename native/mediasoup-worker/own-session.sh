#!/bin/sh
# Ctrl-C goes to every process of the terminal's foreground group, and a worker that gets it ends at once: streams
# would be cut before participants hear that the server stops. In a session of its own the worker does not get it;
# it still ends with the server, whose end closes its pipes.
exec setsid "$MEET_WORKER_BIN" "$@"
