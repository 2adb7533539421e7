"""A TLS socket that closes itself when the handshake fails; paho leaves that to the garbage collector."""

import ssl


class TidySocket(ssl.SSLSocket):
    """For `SSLContext.sslsocket_class`."""

    def do_handshake(self, block: bool = False) -> None:
        """As of the base class; closed if it fails."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
