"""What an administrator meets: reload, upgrade, a full disk, a port in use, a dead resolver, a broken setting; and
the boxes the roles live in.
"""
import json
import base64
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

from harness import certificates, gateway, load, peers, places, process, sink, smtp

from . import base


@base.needs_gateway
class Reload(base.Case):
    def test_under_load(self):
        """Twenty reloads while messages flow: no session is dropped, nothing lost."""
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port)
        with smtp.Client(gate.port) as before:
            before.hello()
            busy = load.Load(gate.port, base.numbered, threads=6, per_session=50).start()
            try:
                for number in range(20):
                    gate.sections["listener internet"]["message_size_max"] = "%dM" % (10 + number)
                    gate.reload()
                    process.wait_for(
                        lambda: gate.metric('hangu_reloads_total{result="ok"}') == number + 1, 10, "reload %d" % number
                    )
                    time.sleep(0.1)
            finally:
                busy.stop()
            before.envelope("a@example.org", ["m999999@example.net"])
            self.assertEqual(before.data(base.numbered(999999)).code, 250)
        gate.wait_empty()
        account = load.Account(busy, [a for a in box.arrivals if a.number() != "999999"])
        self.say(account.text)
        self.assertEqual((account.lost, busy.unknown, busy.refused), ([], set(), {}))
        with smtp.Client(gate.port) as after:
            self.assertEqual(after.hello()["SIZE"], str(29 << 20), "the last settings are in force")

    def test_a_wrong_one_changes_nothing(self):
        gate = self.gateway(next_port=9)
        for name, heading, key, value in (
            ("a key nobody knows", "gateway", "nonsense", "1"),
            ("a value out of range", "listener internet", "message_size_max", "1"),
            ("an open relay", "listener internet", "relay_from", "0.0.0.0/0"),
            ("no such certificate", "listener internet", "certificate", "absent"),
        ):
            with self.subTest(name):
                old = dict(gate.sections[heading])
                gate.sections[heading][key] = value
                refused = gate.metric('hangu_reloads_total{result="refused"}')
                gate.reload()
                process.wait_for(
                    lambda: gate.metric('hangu_reloads_total{result="refused"}') == refused + 1, 10, "the refusal"
                )
                self.assertTrue(peers.greets(gate.port))
                gate.sections[heading] = old

    def test_what_waits_for_the_next_start_is_named(self):
        gate = self.gateway(next_port=9)
        gate.sections["gateway"]["loops"] = 3
        gate.sections["scanner"] = {"count": 3}
        gate.sections["journal"] = {"segment_size": "2M"}
        gate.sections["log"] = {"level": "debug"}
        gate.sections["dns"]["cache_size"] = "8M"
        gate.sections["listener internet"]["message_size_max"] = "11M"
        for _ in range(2):
            gate.write_settings()
            done = gate.command("reload", check=True)
            self.assertEqual(
                done.stdout,
                "not before the next start: [gateway] loops, [scanner] count, [journal], [dns] server and cache_size, [log]\n",
            )
        with smtp.Client(gate.port) as client:
            self.assertEqual(client.hello()["SIZE"], str(11 << 20), "the rest is in force")
        self.assertRegex(gate.log(), r"warning supervisor reload\.later text=.not before the next start: \[gateway\] loops")
        self.assertEqual(gate.stop(), 0)
        gate.start()
        self.assertEqual(len(gate.roles()["scan"]), 3)
        self.assertEqual(gate.command("reload", check=True).stdout, "")

    def test_the_metrics_move(self):
        """To another address at once, without a session noticing; not to one that is taken."""
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port)
        old = gate.metrics_port
        with smtp.Client(gate.port) as before, socket.create_server(("127.0.0.1", 0)) as taken:
            before.hello()
            gate.sections["metrics"]["address"] = "127.0.0.1:%d" % taken.getsockname()[1]
            gate.write_settings()
            refused = gate.command("reload")
            self.assertEqual(refused.returncode, 1)
            self.assertIn(gate.sections["metrics"]["address"], refused.stdout)
            self.assertEqual(gate.metric("hangu_reloads_total"), 1)
            gate.metrics_port = places.free_port()
            gate.sections["metrics"]["address"] = "127.0.0.1:%d" % gate.metrics_port
            gate.write_settings()
            self.assertEqual(gate.command("reload", check=True).stdout, "")
            process.wait_for(lambda: self.answers(gate.metrics_port), 10, "metrics at the new address")
            self.assertFalse(self.answers(old))
            before.envelope("a@example.org", ["m1@example.net"])
            self.assertEqual(before.data(base.numbered(1)).code, 250)
        box.wait(1)
        process.wait_for(
            lambda: gate.command("trace", "m1@example.net").returncode == 0, 20, "the new records' trace"
        )
        gate.sections["metrics"]["address"] = ""
        gate.write_settings()
        gate.command("reload", check=True)
        process.wait_for(lambda: not self.answers(gate.metrics_port), 10, "no metrics at all")
        self.assertEqual(smtp.send(gate.port, base.numbered(2)).code, 250)

    @staticmethod
    def answers(port):
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
            return True
        except OSError:
            return False

    def test_a_renewed_certificate(self):
        gate = self.gateway(next_port=9, tls="mx.example.net")

        def shown():
            with smtp.Client(gate.port) as client:
                client.hello()
                client.starttls(certificates.client_context(), "localhost")
                return client.sock.getpeercert()["serialNumber"]

        first = shown()
        for path, fresh in zip(
            (gate.folder / "mx.example.net-ec-365.pem", gate.folder / "mx.example.net-ec-365.key"),
            certificates.issue("mx.example.net", days=364),
        ):
            path.write_bytes(fresh.read_bytes())
        gate.reload()
        process.wait_for(lambda: shown() != first, 10, "the new certificate")

    def test_accounts_come_and_go(self):
        """The first accounts may come by a reload; who has authenticated may not go on when his account has gone."""
        box = self.open(sink.Sink())
        gate = self.gateway(
            next_port=box.port,
            tls="mx.example.net",
            listener={"relay_from": "", "tls": "required"},
        )
        line = gate.command("account", "one", "one@example.net", text="a long password\n", check=True).stdout
        other = gate.command("account", "two", "two@example.net", text="a long password\n", check=True).stdout
        accounts = gate.folder / "accounts"
        secret = base64.b64encode(b"\0one\0a long password").decode()

        def reload(text):
            accounts.write_text(text)
            gate.sections["accounts"] = {"file": accounts, "failure_delay": "0s"}
            gate.sections["listener internet"]["role"] = "submission"
            done = gate.metric('hangu_reloads_total{result="ok"}')
            gate.reload()
            process.wait_for(lambda: gate.metric('hangu_reloads_total{result="ok"}') == done + 1, 10, "the reload")

        def enter():
            client = smtp.Client(gate.port)
            self.addCleanup(client.close)
            client.hello()
            client.starttls()
            return client, client.hello()

        early, offers = enter()
        self.assertNotIn("AUTH", offers)
        reload(line)
        self.assertIn("PLAIN", early.hello()["AUTH"], "a session takes the new settings")
        for client in (early, enter()[0]):
            self.assertEqual(client.command("AUTH PLAIN " + secret).code, 235)
            self.assertEqual(client.envelope("one@example.net", ["x@elsewhere.example"])[0].code, 250)
        reload(line + other)
        own = base.numbered(1).replace(b"sender@example.org", b"one@example.net")
        self.assertEqual(client.data(own).code, 250, "the message under way is not touched")
        self.assertEqual(client.envelope("one@example.net", ["x@elsewhere.example"])[0].code, 250)
        self.assertEqual(client.command("RSET").code, 250)
        reload(other)
        answer = client.command("MAIL FROM:<one@example.net>")
        self.assertEqual((answer.code, answer.enhanced), (421, "4.3.2"))

    def test_a_certificate_that_does_not_fit_its_key(self):
        gate = self.gateway(next_port=9, tls="mx.example.net")
        _, other = certificates.issue("other.example.net")
        (gate.folder / "mx.example.net-ec-365.key").write_bytes(other.read_bytes())
        gate.reload()
        process.wait_for(lambda: gate.metric('hangu_reloads_total{result="refused"}') == 1, 10, "the refusal")
        with smtp.Client(gate.port) as client:
            client.hello()
            client.starttls(certificates.client_context(), "localhost")


@base.needs_gateway
class Upgrade(base.Case):
    def test_takeover_under_load(self):
        """A new program takes the sockets; the old one drains. Nobody is refused a connection, nothing is lost."""
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port, route={"retry": "1s", "probe": "1s"})
        busy = load.Load(gate.port, base.numbered, threads=6, per_session=20, patience_s=60).start()
        try:
            time.sleep(1)
            old = gate.server
            second = process.Server("hangud-new", gate.argv("--takeover"), gate.folder / "log-new", cwd=gate.folder)
            gate.server = second
            self.addCleanup(old.stop)
            process.wait_for(
                lambda: old.process.poll() is not None, 60, lambda: "the old one to end:\n" + second.log()[-1500:]
            )
            self.assertEqual(old.process.returncode, 0)
            time.sleep(1)
        finally:
            busy.stop()
        process.wait_for(lambda: gate.queued() == 0, 60, "an empty queue")
        account = load.Account(busy, box.arrivals)
        self.say(account.text)
        self.assertEqual((account.lost, busy.unknown), ([], set()))

    def test_a_queue_survives_a_restart(self):
        port = places.free_port()
        gate = self.gateway(next_port=port, route={"retry": "1s", "probe": "1s"})
        for number in range(50):
            self.assertEqual(smtp.send(gate.port, base.numbered(number)).code, 250)
        self.assertEqual(gate.stop(), 0)
        box = self.open(sink.Sink(port=port))
        gate.start()
        box.wait(50, 60)
        gate.wait_empty()
        self.assertEqual(sorted(int(a.number()) for a in box.arrivals), list(range(50)))

    def test_it_ends_in_peace(self):
        gate = self.gateway(next_port=9, sections={"gateway": {"drain": "2s"}})
        with smtp.Client(gate.port) as client:
            client.hello()
            started = time.monotonic()
            self.assertEqual(gate.stop(), 0)
            self.assertLess(time.monotonic() - started, 15)


@base.needs_gateway
class Trouble(base.Case):
    def refused_start(self, gate, pattern):
        """It says why, names the place, and ends with a failure within seconds."""
        self.addCleanup(gate.__exit__)
        gate.start(wait=False)
        process.wait_for(lambda: not gate.alive(), 20, "hangud to give up")
        self.assertNotEqual(gate.server.process.returncode, 0)
        self.assertRegex(gate.log(), pattern)
        self.assertLess(gate.log().count("\n"), 50)

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.refused_start(
                gateway.Gateway(next_port=9, listener={"address": "127.0.0.1:%d" % port}), r"127\.0\.0\.1:%d" % port
            )

    def test_a_wrong_setting_is_named_with_line_and_column(self):
        gate = gateway.Gateway(next_port=9, listener={"message_size_max": "huge"})
        line = gate.settings_text()[: gate.settings_text().index("message_size_max")].count("\n") + 1
        self.refused_start(gate, r"%d.*\b(?:expected|size)" % line)

    def test_an_unreadable_key(self):
        gate = gateway.Gateway(next_port=9, tls="mx.example.net")
        (gate.folder / "mx.example.net-ec-365.key").unlink()
        self.refused_start(gate, r"mx\.example\.net-ec-365\.key")

    def test_a_dead_resolver(self):
        """Mail that needs MX answers waits; everything else goes on, at its usual speed."""
        box = self.open(sink.Sink())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            gate = self.gateway(
                next_port=box.port,
                dns="127.0.0.1:%d" % silent.getsockname()[1],
                sections={"dns": {"timeout": "1s", "reverse": "yes"}, "route world": {"domains": "elsewhere.example"}},
            )
            for number in range(20):
                self.assertEqual(
                    smtp.send(gate.port, base.numbered(number), recipients=["x@elsewhere.example"]).code, 250
                )
            started = time.monotonic()
            for number in range(20, 30):
                self.assertEqual(smtp.send(gate.port, base.numbered(number)).code, 250)
            box.wait(10, 30)
            self.assertLess(time.monotonic() - started, 20)
            time.sleep(2)
            self.assertEqual((gate.queued(), box.count), (20, 10))

    @base.needs_root
    def test_a_full_disk(self):
        """Below the floor: 452 at MAIL and nothing lost; above it again: served again."""
        box = self.open(sink.Sink())
        gate = gateway.Gateway(next_port=box.port, sections={"journal": {"segment_size": "1M", "free_floor": "16M"}})
        self.addCleanup(gate.__exit__)
        state = gate.sections["gateway"]["state"]
        owner = os.stat(state)
        mounted = subprocess.run(
            [
                "mount",
                "-t",
                "tmpfs",
                "-o",
                "size=96M,mode=0750,uid=%d,gid=%d" % (owner.st_uid, owner.st_gid),
                "none",
                str(state),
            ],
            capture_output=True,
        )
        if mounted.returncode != 0:
            self.skipTest("cannot mount: " + mounted.stderr.decode().strip())
        self.addCleanup(subprocess.run, ["umount", "-l", str(state)], capture_output=True)
        gate.start()
        self.assertEqual(smtp.send(gate.port, base.numbered(1)).code, 250)
        filler = pathlib.Path(state) / "filler"
        with open(filler, "wb") as file:
            try:
                while os.statvfs(state).f_bavail * 4096 > 4 << 20:
                    file.write(bytes(1 << 20))
                    file.flush()
            except OSError:
                pass
        answer = process.wait_for(
            lambda: (lambda a: a if a.code != 250 else None)(smtp.send(gate.port, base.numbered(2))), 30, "a refusal"
        )
        self.assertEqual((answer.code, answer.enhanced), (452, "4.3.1"))
        process.wait_for(lambda: gate.metric("hangu_degraded") == 1, 10, "the degradation to be told")
        filler.unlink()
        process.wait_for(lambda: smtp.send(gate.port, base.numbered(3)).code == 250, 30, "service again")
        box.wait(2, 30)
        gate.wait_empty()

    def test_no_crash_loop(self):
        """A role that dies again and again is started again more and more slowly, and in the end all is given up."""
        gate = self.gateway(next_port=9)
        deaths, started = 0, time.monotonic()
        while gate.alive() and time.monotonic() - started < 60 and deaths < 40:
            pids = gate.roles()["records"]
            if pids:
                gate.signal(pids[0])
                deaths += 1
            time.sleep(0.02)
        self.say(
            "%d deaths of records in %.1f s; supervisor %s"
            % (deaths, time.monotonic() - started, "lives" if gate.alive() else "gave up")
        )
        self.assertLess(deaths, 40)


@base.needs_gateway
class Clock(base.ShiftedClock):
    """The wall clock jumps: ids go on rising, nothing is lost, and what waits does not wait longer for it."""

    def accepted(self, gate, number):
        answer = smtp.send(gate.port, base.numbered(number))
        self.assertEqual(answer.code, 250, answer)
        return re.search(r"kept as ([0-9A-Z]{13})", answer.text).group(1)

    def test_set_back_over_a_restart(self):
        """Ids are made from the clock; a second one of the same name would be lost at the next start."""
        port = places.free_port()
        gate = self.shifted(next_port=port, route={"retry": "1h", "probe": "1s"}).start()
        ids = [self.accepted(gate, number) for number in range(20)]
        process.wait_for(lambda: gate.queue()["deferred"] + gate.queue()["due"] == 20, 10, "twenty to wait")
        self.assertEqual(gate.stop(), 0)
        self.set_clock(-86400)
        gate.start()
        self.assertRegex(gate.log(), "queue.clock_back")
        ids += [self.accepted(gate, number) for number in range(20, 40)]
        self.assertEqual(ids, sorted(set(ids)), "each id is above all before it")
        listing = gate.command("--json", "queue", "list", check=True).stdout
        rows = [json.loads(line) for line in listing.splitlines()]
        self.assertEqual({row["id"] for row in rows}, set(ids))
        latest = max(row["due_ms"] for row in rows) / 1000 - (time.time() - 86400)
        self.assertLess(latest, 2 * 3600, "nobody waits for the day that the clock went back")
        box = self.open(sink.Sink(port=port))
        gate.command("queue", "retry", "--domain", "example.net", check=True)
        box.wait(40, 60)
        gate.wait_empty()
        self.assertEqual(sorted(int(a.number()) for a in box.arrivals), list(range(40)))

    @base.limit(240)
    def test_jumps_while_it_runs(self):
        waiting = {"yes": True}

        def script(stage, session, argument):
            return sink.Say("451 4.3.0 not yet") if stage == "mail" and waiting["yes"] else None

        box = self.open(sink.Sink(script=script))
        gate = self.shifted(next_port=box.port, route={"retry": "20s", "retry_slow_after": "0", "probe": "1s"}).start()
        ids, number = [], 0
        for shift in (0, 86400, -2 * 86400, 0, -3600):
            self.set_clock(shift)
            for _ in range(5):
                ids.append(self.accepted(gate, number))
                number += 1
            process.wait_for(lambda: gate.queue()["deferred"] == number, 10, "all to be put off")
        self.assertEqual(ids, sorted(set(ids)))
        self.assertRegex(gate.log(), "queue.clock_ahead")
        waiting["yes"] = False
        box.wait(number, 120)
        gate.wait_empty()
        self.assertEqual(sorted(int(a.number()) for a in box.arrivals), list(range(number)))
        self.assertEqual(gate.stop(), 0)
        gate.verify()


@base.needs_gateway
class Boxes(base.Case):
    def test_every_role_is_boxed(self):
        gate = self.gateway(next_port=9)
        roles = gate.roles()
        for role in gateway.ROLES:
            self.assertTrue(roles[role], "no process of role %s: %s" % (role, roles))
            for pid in roles[role]:
                status = dict(
                    line.split(":\t", 1)
                    for line in pathlib.Path("/proc/%d/status" % pid).read_text().splitlines()
                    if ":\t" in line
                )
                with self.subTest(role):
                    self.assertEqual((status["Seccomp"], status["NoNewPrivs"]), ("2", "1"))
                    if role != "supervisor":
                        self.assertNotEqual(status["Uid"].split()[1], "0", "runs as root")
                        self.assertEqual(int(status["CapEff"], 16), 0)

    def test_scan_has_no_network_and_no_files(self):
        gate = self.gateway(next_port=9)
        for pid in gate.roles()["scan"]:
            links = [os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)]
            self.assertEqual(
                [
                    l
                    for l in links
                    if l.startswith("/")
                    and not l.startswith(("/dev/null", "/memfd:"))
                    and l != str(gate.folder / "log")
                ],
                [],
            )
            # Sockets are allowed only if they are the Unix ones it answers on.
            inodes = {m.group(1) for m in (re.match(r"socket:\[(\d+)\]", l) for l in links) if m}
            inet = set()
            for table in ("tcp", "tcp6", "udp", "udp6"):
                inet |= {
                    line.split()[9]
                    for line in pathlib.Path("/proc/%d/net/%s" % (pid, table)).read_text().splitlines()[1:]
                }
            self.assertEqual(inodes & inet, set())

    def test_no_page_is_writable_and_executable(self):
        gate = self.gateway(next_port=9)
        for role, pids in gate.roles().items():
            for pid in pids:
                maps = pathlib.Path("/proc/%d/maps" % pid).read_text()
                self.assertNotRegex(maps, r"(?m)^\S+ .wx", role)

    def test_prove(self):
        gate = self.gateway(next_port=9)
        done = gate.command("prove")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for word in ("exec", "open", "connect", "ptrace", "kill"):
            self.assertIn(word, done.stdout)
        self.assertTrue(peers.greets(gate.port))

    def test_a_start_proves_that_exec_is_refused(self):
        gate = self.gateway(next_port=9)
        self.assertRegex(gate.log(), r"(?i)exec")


@base.needs_gateway
class Command(base.Case):
    def test_trace_finds_a_message(self):
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port)
        answer = smtp.send(gate.port, base.numbered(7))
        box.wait(1)
        process.wait_for(
            lambda: "7.number@example.org" in gate.command("trace", "<7.number@example.org>").stdout,
            10,
            "the message in the trace",
        )
        by_address = gate.command("trace", "rcpt@example.net", check=True).stdout
        self.assertIn("rcpt@example.net", by_address)
        identity = re.search(r"\b[0-9a-zA-Z]{13}\b", answer.text)
        if identity:
            self.assertIn("sender@example.org", gate.command("trace", identity.group(0)).stdout)

    def test_queue_list_and_retry(self):
        port = places.free_port()
        gate = self.gateway(next_port=port, route={"retry": "1h"})
        for number in range(3):
            self.assertEqual(
                smtp.send(gate.port, base.numbered(number), recipients=["m%d@example.net" % number]).code, 250
            )
        listing = process.wait_for(
            lambda: (lambda t: t if t.count("example.net") >= 3 else None)(
                gate.command("queue", "list", check=True).stdout
            ),
            10,
            "three in the list",
        )
        self.assertIn("m1@example.net", listing)
        box = self.open(sink.Sink(port=port))
        gate.command("queue", "retry", "--domain", "example.net", check=True)
        box.wait(3, 30)
        gate.wait_empty()

    def test_held_mail_is_released(self):
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port)
        eicar = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
        self.assertEqual(smtp.send(gate.port, base.numbered(1) + eicar + b"\r\n").code, 250)
        process.wait_for(lambda: gate.held() == 1, 10, "one held message")
        self.assertEqual(box.count, 0)
        listing = gate.command("queue", "list", "--quarantined", check=True).stdout
        identity = re.search(r"\b[0-9a-zA-Z]{13}\b", listing).group(0)
        gate.command("queue", "release", identity, check=True)
        box.wait(1)

    def test_gtube_is_refused(self):
        gate = self.gateway(next_port=9)
        answer = smtp.send(
            gate.port, base.numbered(1) + b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
        )
        self.assertEqual(answer.code // 100, 5)
        self.assertTrue(answer.enhanced.startswith("5.7"))

    def test_status(self):
        gate = self.gateway(next_port=9)
        text = gate.command("status", check=True).stdout
        for role in gateway.ROLES:
            self.assertIn(role, text)
        rows = [json.loads(line) for line in gate.command("--json", "status", check=True).stdout.splitlines()]
        self.assertEqual((rows[0]["process"], rows[0]["state"]), ("supervisor", "serving"))
        self.assertEqual(rows[0]["pid"], gate.server.pid)
        self.assertEqual(rows[-1]["messages"], 0)

    def test_wrong_usage(self):
        """Each says what is wrong with which word, on standard error, with status 2 (or 1: understood, but not so)."""
        gate = self.gateway(next_port=9)
        message = gate.folder / "message"
        message.write_bytes(base.numbered(1))
        for words, status, pattern in (
            (["nonsense"], 2, "no command nonsense"),
            (["--nonsense"], 2, "no option --nonsense"),
            (["help", "nonsense"], 2, "no command nonsense"),
            (["status", "x"], 2, "usage: hangu status\n"),
            (["queue", "nonsense"], 2, "nonsense"),
            (["queue", "list", "--state", "x"], 2, "--state x: expected due, "),
            (["queue", "list", "--older", "5"], 2, "--older 5: expected an age"),
            (["queue", "list", "--to"], 2, "--to .*: expected a value"),
            (["queue", "hold"], 2, "needs a filter"),
            (["queue", "reroute"], 2, "usage: hangu queue"),
            (["queue", "reroute", "nowhere", "--to", "a@b"], 1, r"no \[route nowhere\]"),
            (["trace"], 2, "usage: hangu trace"),
            (["trace", "nonsense"], 2, "nonsense"),
            (["trace", "--from", "yesterday"], 2, "--from yesterday: expected"),
            (["trace", "--limit", "0"], 2, "--limit 0: expected"),
            (["trace", "--limit", "1001"], 2, "--limit 1001: expected"),
            (["send", message], 2, "usage: hangu send"),
            (["send", "/nonexistent", "--to", "a@b"], 1, "/nonexistent: there is no such"),
            (["send", message, "--to", "a@b", "--host", "nonsense"], 2, "--host nonsense: expected"),
            (["send", message, "--to", "a@b", "--host", "127.0.0.1:1"], 3, "nobody answers"),
            (["scan", "/nonexistent"], 1, "/nonexistent: there is no such"),
            (["verify", "/nonexistent"], 1, "/nonexistent: there is no such"),
            (["verify", gate.folder], 1, "holds no journal"),
            (["check", "/nonexistent"], 1, "/nonexistent: there is no such"),
            (["account", "a", "b@c"], 2, "standard input"),
        ):
            with self.subTest(" ".join(map(str, words))):
                done = gate.command(*words)
                self.assertEqual(done.returncode, status, done.stdout + done.stderr)
                self.assertRegex(done.stderr, pattern)

    def test_help(self):
        """Every command of the list tells its own usage, by both ways of asking, on standard output."""
        gate = gateway.Gateway(next_port=9)
        self.addCleanup(gate.__exit__)
        names = re.findall(r"(?m)^  ([a-z]+) +[A-Z]", gate.command("help", check=True).stdout)
        self.assertGreater(len(names), 12)
        for name in names:
            with self.subTest(name):
                text = gate.command("help", name, check=True).stdout
                self.assertRegex(text, "^usage: hangu %s\\b" % name)
                self.assertEqual(gate.command(name, "--help", check=True).stdout, text)

    def test_what_send_says(self):
        """Refused recipients are named, and the status is that of a refusal, not of a broken conversation."""
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port, listener={"relay_from": "127.0.0.2"})
        message = gate.folder / "message"
        message.write_bytes(base.numbered(1))
        host = "127.0.0.1:%d" % gate.port
        refused = gate.command("send", message, "--to", "x@elsewhere.example", "--host", host)
        self.assertEqual((refused.returncode, refused.stderr), (1, ""))
        self.assertIn("recipient: 550", refused.stdout)
        half = gate.command("send", message, "--to", "x@elsewhere.example", "x@example.net", "--host", host)
        self.assertEqual((half.returncode, half.stderr), (0, ""))
        self.assertRegex(half.stdout, "(?s)recipient: 550.*message: 250")
        box.wait(1)

    def test_nothing_a_peer_says_forges_a_line(self):
        box = self.open(sink.Sink())
        gate = self.gateway(next_port=box.port)
        with smtp.Client(gate.port) as client:
            client.command('EHLO x" event="forged')
            client.command(b'MAIL FROM:<"a\\"b\\ c"@example.org>')
            client.command(b"NOOP \x1b[2Jforged.event peer=x\x85y\xe2\x80\xa8z")
            client.quit()
        smtp.send(gate.port, base.numbered(1).replace(b"Subject: message 1", b"Subject: x\x1b]0;forged\x07"))
        box.wait(1)
        # A build with a sanitizer names the calls that the doubles of the start died of.
        for line in re.sub(r"(?m)^box breach: execve \(call \d+\)\n", "", gate.log()).splitlines():
            self.assertRegex(
                line, r"^\d{4}-\d\d-\d\dT[\d:.]+Z (?:error|warning|notice|info|debug) [a-z-]+ [a-z0-9_.]+(?: |$)"
            )
            self.assertNotRegex(line, r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

    def test_signals(self):
        gate = self.gateway(next_port=9)
        os.kill(gate.server.pid, signal.SIGHUP)
        gate.wait_log("reload")
        self.assertTrue(peers.greets(gate.port))
