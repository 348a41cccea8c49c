"""A loopback proxy in front of an API server that can be slow, silent or cut."""

import socket
import time
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Self

PIECE_BYTES = 1 << 16
TICK_S = 0.05


class Proxy:
    """Passes bytes on, both ways, until it is told otherwise.

    TLS goes through it untouched, so clients check the certificate of the server itself.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._refusing = False
        self._flowing = Event()
        self._flowing.set()
        self._delay_s = 0.0
        self.answered_bytes = 0
        """What went from the server to its clients."""
        self.refused = 0
        """Connections that were broken before they began."""
        self.held = 0
        """Pieces that were kept waiting in silence."""
        Thread(target=self._accept, daemon=True).start()

    def delay(self, seconds: float) -> None:
        """Hold every piece of an answer back for a while."""
        self._delay_s = seconds

    def silence(self) -> None:
        """Let nothing through, as a network does that is gone without a word."""
        self._flowing.clear()

    def cut(self) -> None:
        """Break every connection, and every new one."""
        self._refusing = True
        self._break()

    def mend(self) -> None:
        """Pass bytes on again; connections that were silent break now."""
        if not self._flowing.is_set():
            self._break()
        self._refusing = False
        self._flowing.set()

    def close(self) -> None:
        """End everything."""
        self.cut()
        self._flowing.set()
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                self.refused += 1
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._open |= {client, server}
            Thread(target=self._pass, args=(client, server, False), daemon=True).start()
            Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, answers: bool) -> None:  # noqa: FBT001 two directions
        with suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                if answers:
                    time.sleep(self._delay_s)
                    self.answered_bytes += len(piece)
                self.held += not self._flowing.is_set()
                self._flowing.wait()
                target.sendall(piece)
        self._end(source, target)

    def _break(self) -> None:
        with self._lock:
            both = list(self._open)
        self._end(*both)

    def _end(self, *ends: socket.socket) -> None:
        for each in ends:
            with self._lock:
                self._open.discard(each)
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
