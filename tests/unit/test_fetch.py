"""The guarded fetcher against hostile servers, names and redirects."""

from __future__ import annotations

import gzip
import itertools
import socket
import ssl
import subprocess
import threading
import time
from http.client import NotConnected
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reverberate import wire
from reverberate.errors import ReverberateError
from reverberate.fetch import Fetched, FetchError, fetch, host_and_port
from reverberate.wire import Trouble
from website import Page, Website

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

NEW_CERTIFICATE = (
    "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
    " -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
)
PUBLIC = "93.184.216.34"


@pytest.fixture(scope="module")
def shared() -> Iterator[Website]:
    with Website() as site:
        yield site


@pytest.fixture
def site(shared: Website) -> Website:
    shared.pages.clear()
    shared.asked.clear()
    return shared


def get(url: str, *, trusted: bool = True, max_bytes: int = 1_000_000, seconds: float = 10, **more: Any) -> Fetched:
    named = frozenset({host_and_port(url)}) if trusted else frozenset()
    return fetch(url, max_bytes=max_bytes, seconds=seconds, trusted_hosts=named, **more)


def trouble(url: str, **options: Any) -> FetchError:
    with pytest.raises(FetchError) as raised:
        get(url, **options)
    assert "\n" not in str(raised.value)
    return raised.value


class TestAnswers:
    def test_a_page_comes_whole(self, site: Website) -> None:
        site.pages["/feed?a=1"] = Page(body=b"x" * 200_000, headers={"ETag": 'W/"1"', "X-Two": "first"})
        answer = get(site.url("/feed?a=1"))
        assert (answer.status, answer.body, answer.headers["etag"]) == (200, b"x" * 200_000, 'W/"1"')
        assert answer.url == site.url("/feed?a=1")
        assert answer.moved == ""

    def test_we_say_who_we_are_and_send_what_was_asked_for(self, site: Website) -> None:
        site.pages["/"] = Page()
        get(site.url(""), headers={"If-None-Match": '"1"'})
        ((_, sent),) = site.asked
        assert sent["User-Agent"].startswith("Reverberate/")
        assert sent["If-None-Match"] == '"1"'
        assert sent["Host"] == f"127.0.0.1:{site.port}"
        assert "Cookie" not in sent

    def test_nothing_of_the_machine_slips_in(
        self, site: Website, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b", encoding="ascii")
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        site.pages["/"] = Page(headers={"Set-Cookie": "a=b; Path=/"})
        for _ in range(2):
            get(site.url("/"))
        for _, sent in site.asked:
            assert "Cookie" not in sent
            assert "Authorization" not in sent

    def test_not_modified_is_an_answer(self, site: Website) -> None:
        site.pages["/"] = Page(status=304)
        assert get(site.url("/")).status == 304

    @pytest.mark.parametrize("status", [300, 400, 404, 410, 429, 500, 503])
    def test_any_other_status_is_an_error_with_the_answers_headers(self, site: Website, status: int) -> None:
        site.pages["/?token=secret"] = Page(status=status, body=b"sorry", headers={"Retry-After": "120"})
        error = trouble(site.url("/?token=secret"))
        assert (error.kind, error.status, error.headers["retry-after"]) == (Trouble.STATUS, status, "120")
        assert f"the server answered {status}" in str(error)
        assert "secret" not in str(error)
        assert isinstance(error, ReverberateError)

    @pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP"])
    def test_gzip_is_undone(self, site: Website, encoding: str) -> None:
        body = bytes(range(256)) * 2000
        site.pages["/"] = Page(body=gzip.compress(body, mtime=0), headers={"Content-Encoding": encoding})
        assert get(site.url("/")).body == body

    def test_gzip_in_several_members_and_with_padding_is_undone(self, site: Website) -> None:
        body = gzip.compress(b"a" * 70_000, mtime=0) + gzip.compress(b"b" * 70_000) + b"\0" * 10
        site.pages["/"] = Page(body=body, headers={"Content-Encoding": "gzip"})
        assert get(site.url("/")).body == b"a" * 70_000 + b"b" * 70_000

    @given(body=st.binary(max_size=2000), repeated=st.integers(0, 200))
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_whatever_was_compressed_comes_back(self, site: Website, body: bytes, repeated: int) -> None:
        site.pages["/"] = Page(body=gzip.compress(body * repeated, mtime=0), headers={"Content-Encoding": "gzip"})
        assert get(site.url("/")).body == body * repeated

    def test_a_password_goes_to_its_own_host_and_into_no_error(self, site: Website) -> None:
        site.pages["/a"] = Page()
        site.redirect("/here", "/a")
        site.redirect("/away", site.url("/a", host="localhost"))
        own = f"http://us%40r:p%3Aw@127.0.0.1:{site.port}"
        assert get(own + "/here").url == site.url("/a")
        places = frozenset({host_and_port(own), f"localhost:{site.port}"})
        fetch(own + "/away", max_bytes=10, seconds=5, trusted_hosts=places)
        assert ["Authorization" in sent for _, sent in site.asked] == [True, True, True, False]
        assert site.asked[0][1]["Authorization"] == "Basic dXNAcjpwOnc="
        assert "p%3Aw" not in str(trouble(own + "/nothing"))


class TestLimits:
    def test_a_body_that_says_it_is_too_long_is_not_read(self, site: Website) -> None:
        site.pages["/"] = Page(body=b"x" * 1001)
        assert trouble(site.url("/"), max_bytes=1000).kind is Trouble.TOO_BIG
        assert len(get(site.url("/"), max_bytes=1001).body) == 1001

    def test_fifty_megabytes_without_a_length_are_cut(self, site: Website) -> None:
        written = 0

        def stream(handler: BaseHTTPRequestHandler) -> None:
            nonlocal written
            handler.send_response_only(200)
            handler.end_headers()
            for _ in range(50):
                written += handler.wfile.write(b"x" * (1 << 20))

        site.pages["/"] = stream
        error = trouble(site.url("/"), max_bytes=1 << 20)
        assert error.kind is Trouble.TOO_BIG
        assert "longer than 1,048,576 bytes" in str(error)
        assert written < 20 << 20

    def test_a_gzip_bomb_is_stopped_at_the_limit(self, site: Website) -> None:
        bomb = gzip.compress(b"\0" * (100 << 20))
        assert len(bomb) < 200_000
        site.pages["/"] = Page(body=bomb, headers={"Content-Encoding": "gzip"})
        begun = time.monotonic()
        assert trouble(site.url("/"), max_bytes=1 << 20).kind is Trouble.TOO_BIG
        assert time.monotonic() - begun < 1

    @pytest.mark.parametrize("part", ["headers", "body", "chunks"])
    def test_a_server_that_drips_is_cut_at_the_deadline(self, site: Website, part: str) -> None:
        """Each byte comes in time; all together would take for ever."""

        def drip(handler: BaseHTTPRequestHandler) -> None:
            start = {"headers": b"HTTP/1.1 200 OK\r\nX-Long: ", "body": b"HTTP/1.1 200 OK\r\n\r\n"}
            handler.wfile.write(start.get(part, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
            for _ in range(200):
                handler.wfile.write(b"1\r\nx\r\n" if part == "chunks" else b"x")
                time.sleep(0.02)

        site.pages["/"] = drip
        begun = time.monotonic()
        error = trouble(site.url("/"), seconds=0.2)
        assert error.kind is Trouble.TIMEOUT
        assert str(error) == f"{site.url('/')}: it took longer than 0.2 s"
        assert time.monotonic() - begun < 1.5

    def test_a_server_that_says_nothing_is_cut(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
            assert trouble(url, seconds=0.1).kind is Trouble.TIMEOUT

    def test_a_resolver_that_does_not_answer_is_not_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answered = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(5) and [])
        assert trouble("http://slow.example/", seconds=0.1).kind is Trouble.TIMEOUT
        answered.set()

    def test_a_connection_that_does_not_come_about_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def dial(*_: object, seconds: float) -> socket.socket:
            time.sleep(seconds)
            raise TimeoutError("timed out")

        names(monkeypatch, {"slow.example": PUBLIC})
        monkeypatch.setattr(wire, "_dial", dial)
        assert trouble("http://slow.example/", seconds=0.1).kind is Trouble.TIMEOUT

    def test_the_first_of_several_addresses_has_all_the_time_for_its_answer(
        self, site: Website, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names(monkeypatch, {"many.example": ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"]})

        def answer_late(handler: BaseHTTPRequestHandler) -> None:
            time.sleep(0.19)
            handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\nhere")

        site.pages["/"] = answer_late
        assert get(site.url("/", host="many.example"), seconds=0.7).body == b"here"

    def test_a_redirect_is_followed_five_times_not_six(self, site: Website) -> None:
        for number in range(6):
            site.redirect(f"/{number}", f"/{number + 1}")
        site.pages["/6"] = Page(body=b"here")
        assert get(site.url("/1")).body == b"here"
        error = trouble(site.url("/0"))
        assert error.kind is Trouble.REDIRECTS
        assert "more than 5 redirects" in str(error)

    @pytest.mark.parametrize(("first", "second", "lasting"), [(301, 308, True), (301, 302, False), (307, 301, False)])
    def test_a_move_for_good_is_told_when_every_redirect_says_so(
        self, site: Website, first: int, second: int, *, lasting: bool
    ) -> None:
        site.redirect("/a", "b", status=first)
        site.redirect("/b", "/c?x=1", status=second)
        site.pages["/c?x=1"] = Page()
        assert get(site.url("/a")).moved == (site.url("/c?x=1") if lasting else "")

    @pytest.mark.parametrize(
        "location", ["gopher://127.0.0.1/", "http://[::1", "file:///etc/passwd", "http://", "//[/"]
    )
    def test_a_redirect_to_no_address_is_an_error(self, site: Website, location: str) -> None:
        site.redirect("/", location)
        assert trouble(site.url("/")).kind is Trouble.REDIRECTS


def test_a_connection_never_connects_anew_past_the_guard(site: Website) -> None:
    site.pages["/"] = Page()
    with wire.Watch(5) as watch:
        made = wire.connection(wire.parsed(site.url("/")), trusted=True, watch=watch)
        made.close()
        with pytest.raises(NotConnected):
            made.request("GET", "/")


class TestBroken:
    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip at all",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 1000, mtime=0)[:-9],
            b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nx",
        ],
    )
    def test_what_is_no_whole_answer_is_told(self, site: Website, answer: bytes) -> None:
        site.pages["/"] = lambda handler: handler.wfile.write(answer)
        assert trouble(site.url("/")).kind is Trouble.BROKEN

    def test_nobody_listening_is_told(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        error = trouble(f"http://127.0.0.1:{port}/")
        assert error.kind is Trouble.CONNECT
        assert "Connection refused" in str(error)

    @pytest.mark.parametrize("name", ["nowhere.example", "a" * 70 + ".example"])
    def test_a_name_that_is_none_is_told(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        names(monkeypatch, {})
        assert trouble(f"https://{name}/feed").kind is Trouble.DNS

    @pytest.mark.parametrize(
        "url", ["", "/etc/passwd", "feed.xml", "ftp://u:secret@blog.example/", "http://", "http://[1"]
    )
    def test_what_is_no_address_is_told_without_its_password(self, url: str) -> None:
        with pytest.raises(FetchError) as raised:
            fetch(url, max_bytes=1, seconds=1)
        assert raised.value.kind is Trouble.URL
        assert "secret" not in str(raised.value)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    both = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-nodes",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            both,
            "-out",
            both.with_suffix(".crt"),
        ],
        check=True,
        capture_output=True,
    )
    both.write_bytes(both.read_bytes() + both.with_suffix(".crt").read_bytes())
    return both


@pytest.fixture
def secure(certificate: Path) -> Iterator[Website]:
    with Website(certificate=certificate) as site:
        site.pages["/"] = Page(body=b"safe")
        yield site


class TestTLS:
    def test_a_stranger_s_certificate_is_refused(self, secure: Website) -> None:
        error = trouble(secure.url("/", host="localhost"))
        assert error.kind is Trouble.TLS
        assert "certificate is not valid" in str(error)
        assert secure.asked == []

    def test_a_known_one_is_checked_for_the_host(
        self, secure: Website, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(wire, "_authorities", lambda: ssl.create_default_context(cafile=str(certificate)))
        names(monkeypatch, {"localhost": "127.0.0.1"})
        assert get(secure.url("/", host="localhost")).body == b"safe"
        assert get(secure.url("/", host="localhost.")).body == b"safe"
        assert trouble(secure.url("/")).kind is Trouble.TLS

    def test_a_server_without_tls_is_told(self, site: Website) -> None:
        assert trouble(site.url("/").replace("http:", "https:")).kind is Trouble.TLS


def names(monkeypatch: pytest.MonkeyPatch, known: dict[str, str | list[str]]) -> None:
    """Numbers are read as the system reads them; names are only these."""
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *_: object, **__: object) -> Any:
        hosts = known.get(host.rstrip("."), host)
        numbers = [hosts] if isinstance(hosts, str) else hosts
        return [
            found for ip in numbers for found in real(ip, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


class Dials:
    """Every address that was connected to; the one public address leads to the test's own website."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, site: Website) -> None:
        self.made: list[str] = []
        self._port = site.port
        monkeypatch.setattr(wire, "_dial", self._dial)

    def _dial(self, address: str, _port: int, *, seconds: float) -> socket.socket:
        self.made.append(address)
        if address != PUBLIC:
            raise ConnectionRefusedError(111, "Connection refused")
        wire = socket.socket()
        wire.settimeout(seconds)
        wire.connect(("127.0.0.1", self._port))
        return wire


@pytest.fixture
def dials(monkeypatch: pytest.MonkeyPatch, site: Website) -> Dials:
    names(monkeypatch, {"public.example": PUBLIC, "localhost": ["::1", "127.0.0.1"], **HOSTILE_NAMES})
    return Dials(monkeypatch, site)


PRIVATE: tuple[str, ...] = (
    "127.0.0.1",
    "127.1.2.3",
    "10.0.0.5",
    "172.16.4.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
)
PRIVATE += ("0.0.0.1", "192.0.2.7", "198.18.0.1", "224.0.0.1", "255.255.255.255", "192.0.0.192")
HOSTILE_NAMES: dict[str, str | list[str]] = {f"name{n}.evil.example": ip for n, ip in enumerate(PRIVATE)}
HOSTILE_NAMES |= {f"six{n}.evil.example": f"::ffff:{ip}" for n, ip in enumerate(PRIVATE)}


def spellings(ip: str) -> Iterator[str]:
    """The ways to write an IPv4 address as a host."""
    number, (a, b, c, d) = int(IPv4Address(ip)), IPv4Address(ip).packed
    yield from (ip, f"{ip}.", str(number), hex(number), f"0{number:o}", f"0X{number:X}", f"{a}.{number & 0xFFFFFF}")
    yield from (f"{a}.{b}.{number & 0xFFFF}", f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}")
    yield from (f"0{a:03o}.{b}.{c}.{d}", f"0x{a:x}.{b}.0{c:o}.{d}")
    yield from (ip.replace(".", "\u3002"), ip.replace(".", "\uff0e"), ip.replace(".", "%2e"))
    yield "".join(chr(0xFF10 + int(digit)) if digit.isdigit() else digit for digit in ip)
    yield "".join(chr(0x2460 + int(digit) - 1) if digit in "123456789" else digit for digit in ip)


def embeddings(ip: str) -> Iterator[str]:
    """The ways to put it into an IPv6 address."""
    inside = int(IPv4Address(ip))
    for prefix in (0, 0xFFFF << 32, 0xFFFF << 48, 0x64FF9B << 96, (0x64FF9B0001 << 88), 0x2002 << 112 | inside << 80):
        yield f"[{IPv6Address(prefix | (0 if prefix >> 112 == 0x2002 else inside))}]"
    yield f"[{IPv6Address(0x20010000 << 96 | (inside ^ 0xFFFFFFFF))}]"
    yield from (f"[::ffff:{ip}]", f"[::{ip}]", f"[64:ff9b::{ip}]", f"[0:0:0:0:0:ffff:{ip}]", f"[::ffff:{ip}%25lo]")


def hostile() -> list[str]:
    """Addresses in every spelling, with the usual trimmings."""
    hosts = [host for ip in PRIVATE for host in itertools.chain(spellings(ip), embeddings(ip))]
    hosts += [*HOSTILE_NAMES, "localhost", "LOCALHOST", "localhost.", "[::1]", "[::]", "[fe80::1]", "[fd00:ec2::254]"]
    hosts += [
        "[0:0:0:0:0:0:0:1]",
        "[ff02::1]",
        "[fec0::1]",
        "[::1%25lo]",
        "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",
    ]
    forms = ("http://{}/", "https://{}/", "http://public.example@{}/", "http://{}:8080/feed", "http://a:b@{}:443/?x#@y")
    return [form.format(host) for host in hosts for form in forms]


class TestPrivateAddresses:
    """No stranger's link leads into a private network, however it is spelt."""

    def test_no_spelling_reaches_one(self, dials: Dials) -> None:
        urls = hostile()
        kinds = [trouble(url, trusted=False).kind for url in urls]
        assert len(urls) > 1500
        assert dials.made == []
        assert set(kinds) <= {Trouble.ADDRESS, Trouble.DNS, Trouble.URL}
        assert kinds.count(Trouble.ADDRESS) > 1200  # they are read as addresses, not merely as nonsense

    def test_no_spelling_reaches_one_by_a_redirect(self, dials: Dials, site: Website) -> None:
        urls = hostile()[::3]
        for url in urls:
            site.redirect(
                "/", "".join(letter if letter.isascii() else f"%{letter.encode().hex('%')}" for letter in url)
            )
            trouble("http://public.example/", trusted=False)
        assert dials.made == [PUBLIC] * len(urls)

    def test_the_same_spellings_lead_to_a_public_one(self, dials: Dials, site: Website) -> None:
        site.pages["/"] = Page(body=b"here")
        usual = [host for host in spellings(PUBLIC) if host.isascii() and "%" not in host and host[-1] != "."]
        for host in ("public.example", *usual):
            assert get(f"http://{host}/", trusted=False).body == b"here"
        assert trouble(f"http://[::ffff:{PUBLIC}]/", trusted=False).kind is Trouble.CONNECT  # allowed, but not there
        assert dials.made == [PUBLIC] * (1 + len(usual)) + [f"::ffff:{PUBLIC}"]

    def test_a_public_site_cannot_redirect_to_the_owners_network(self, dials: Dials, site: Website) -> None:
        site.redirect("/", "http://192.168.1.1/admin")
        error = trouble("http://public.example/")
        assert error.kind is Trouble.ADDRESS
        assert str(error) == "http://192.168.1.1/admin: it leads to 192.168.1.1, which is not on the public internet"
        assert dials.made == [PUBLIC]

    def test_a_name_with_both_kinds_leads_to_the_public_one_only(
        self, dials: Dials, site: Website, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names(monkeypatch, {"both.example": ["127.0.0.1", PUBLIC]})
        site.pages["/"] = Page()
        get("http://both.example/", trusted=False)
        assert dials.made == [PUBLIC]

    def test_a_name_that_changes_its_address_is_asked_once(
        self, dials: Dials, site: Website, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What was judged is what is connected to: a rebinding name has no second word."""
        answers = iter([PUBLIC, "127.0.0.1"])
        real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", lambda _, port, **more: real(next(answers), port, **more))
        site.pages["/"] = Page(body=b"here")
        assert get("http://rebinding.example/", trusted=False).body == b"here"
        assert list(answers) == ["127.0.0.1"]
        assert dials.made == [PUBLIC]

    def test_an_unusual_port_is_only_for_hosts_that_the_owner_named(self, dials: Dials, site: Website) -> None:
        site.pages["/"] = Page()
        assert trouble("http://public.example:22/", trusted=False).kind is Trouble.ADDRESS
        assert dials.made == []
        assert get("http://public.example:2368/").status == 200

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
    def test_a_private_host_that_the_owner_named_is_reached(self, site: Website, host: str) -> None:
        site.pages["/"] = Page(body=b"mine")
        site.redirect("/from", site.url("/", host=host))
        assert get(site.url("/from", host=host)).body == b"mine"

    def test_it_cannot_redirect_to_another_private_place(self, site: Website) -> None:
        with Website() as other:
            site.redirect("/", other.url("/"))
            assert trouble(site.url("/")).kind is Trouble.ADDRESS
            assert other.asked == []

    @pytest.mark.parametrize("ip", ["169.254.169.254", "0.0.0.1", "224.0.0.1", "[fe80::1]"])
    def test_some_places_are_refused_even_where_named(self, dials: Dials, ip: str) -> None:
        assert trouble(f"http://{ip}/").kind is Trouble.ADDRESS
        assert dials.made == []


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://Blog.Example/feed", "blog.example:80"),
        ("https://blog.example.:8443", "blog.example:8443"),
        ("https://[2606:2800::1]/", "[2606:2800::1]:443"),
        ("https://u:p@b\u00fccher.example/", "xn--bcher-kva.example:443"),
    ],
)
def test_host_and_port(url: str, place: str) -> None:
    assert host_and_port(url) == place
