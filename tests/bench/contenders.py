"""Who runs in the benchmark. A contender listens on `port`, takes mail for anybody from loopback, keeps it in a
durable queue on the disk of the build folder, and passes it to `next_port`; its processes and all they fork are
accounted for together.
"""
from harness import gateway, peers


class Postfix:
    """Postfix 3.7 from its Debian package, tuned within reason (peers.Postfix), without any filter."""

    name = "postfix"

    def __init__(self, next_port, resolver, sessions_max=1200, tls=False):
        self.peer = peers.Postfix(
            next_port=next_port,
            accounted=True,
            resolver=resolver.partition(":")[0],
            smtpd_max=sessions_max,
            tls="bench.example" if tls else None,
            main={"default_process_limit": str(max(1200, sessions_max)), "smtpd_timeout": "3600s"},
        )

    def start(self):
        self.peer.start()

    def stop(self):
        self.peer.stop()
        peers.places.remove(self.peer.folder)

    @property
    def port(self):
        return self.peer.port

    @property
    def server(self):
        return self.peer.server

    def syncs(self):
        """Its own count of fdatasync calls; None when it keeps none."""
        return None


class Hangu:
    """The gateway as it stands in this build, scanning every message at depth `structure`."""

    name = "hangu"

    def __init__(self, next_port, resolver, sessions_max=1200, tls=False):
        del sessions_max
        self.gateway = gateway.Gateway(
            next_port=next_port,
            dns=resolver,
            accounted=True,
            tls="bench.example" if tls else None,
            listener={"timeout_command": "1h"},
            route={"connections_max": 20},
            sections={"log": {"level": "notice"}},
        )

    def start(self):
        self.gateway.start()

    def stop(self):
        self.gateway.stop()
        gateway.places.remove(self.gateway.folder)

    @property
    def port(self):
        return self.gateway.port

    @property
    def server(self):
        return self.gateway.server

    def syncs(self):
        return self.gateway.metric("hangu_journal_syncs_total")
