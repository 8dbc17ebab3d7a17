"""The command line: clear words, the right exit code, no traceback, one JSON document."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from support import processes
from support.inside import ask, run
from support.servers import free_port

ROOT = Path(__file__).parents[2]
CONFIG = """\
[site]
timezone = "Europe/Berlin"

[accounts.one]
network = "memory"

[accounts.two]
network = "memory"
when = "'release' in post.tags"
"""
POST = "---\ntitle: A post\nurl: https://blog.example/a-post\nsummary: What it says.\ntags: [release]\n---\nText.\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "reverberate.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.fixture
def post(tmp_path: Path) -> str:
    path = tmp_path / "post.md"
    path.write_text(POST, encoding="utf-8")
    return str(path)


def fails(config: Path, *arguments: str, code: int = 1, lines: int = 1) -> str:
    """What a command says that must fail, in so many lines, without a traceback."""
    done = run(config, *arguments)
    said = [line for line in done.stderr.splitlines() if line.startswith("reverberate: ")]
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert len(said) == lines, done.stderr
    return "\n".join(said)


def test_publish_plans_a_share_on_each_account_and_says_so(config: Path, post: str) -> None:
    done = processes.ask(config, "publish", post)

    assert done["new"] is True
    assert [(share["account"], share["state"]) for share in done["shares"]] == [
        ("one", "scheduled"),
        ("two", "scheduled"),
    ]
    assert ask(config, "publish", post)["new"] is False


def test_publish_reads_stdin_and_json(config: Path, tmp_path: Path) -> None:
    piped = processes.run(config, "publish", "-", "--json", stdin=POST)
    assert json.loads(piped.stdout)["new"] is True
    path = tmp_path / "post.json"
    path.write_text(json.dumps({"title": "B", "url": "https://blog.example/b", "tags": ["x"]}), encoding="utf-8")
    done = ask(config, "publish", str(path), "--account", "two")

    assert [(s["account"], s["state"]) for s in done["shares"]] == [("two", "skipped")]
    assert "'release' in post.tags" in done["shares"][0]["reason"]


def test_preview_shows_every_account_offline_and_stores_nothing(config: Path, post: str) -> None:
    rows = ask(config, "preview", post)

    assert [row["account"] for row in rows] == ["one", "two"]
    (part,) = rows[0]["parts"]
    assert "A post" in part["text"]
    assert part["count"] <= part["limit"] == 500
    assert ask(config, "posts") == []
    assert "https://blog.example/a-post" in run(config, "preview", post).stdout


def test_a_share_can_be_rescheduled_cancelled_and_retried(config: Path, post: str) -> None:
    ask(config, "publish", post, "--account", "one")
    assert run(config, "share", "reschedule", "1", "2030-06-01T09:00:00").returncode == 0
    assert ask(config, "shares")[0]["due"] == "2030-06-01T07:00:00Z"  # nine o'clock in Berlin's summer
    assert run(config, "share", "cancel", "1").returncode == 0
    assert [share["state"] for share in ask(config, "shares", "--state", "cancelled")] == ["cancelled"]
    assert "share 1 is cancelled" in fails(config, "share", "cancel", "1")
    assert "share 1 is cancelled" in fails(config, "share", "approve", "1")
    assert "share 1 is cancelled" in fails(config, "share", "resolve", "1", "--sent")
    assert run(config, "share", "retry", "1").returncode == 0
    story = ask(config, "share", "show", "1")

    assert story["state"] == "scheduled"
    kinds = [event["kind"] for event in story["events"]]
    assert kinds == ["share scheduled", "share cancelled", "share scheduled"]
    assert "rescheduled" in run(config, "share", "show", "1").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["share", "show", "7"], "there is no share 7"),
        (["why", "7", "one"], "there is no post 7"),
        (["why", "7", "nobody"], "no account 'nobody'"),
        (["preview", "7"], "there is no post 7"),
        (["poll", "nothing"], "there is no source 'nothing'"),
        (["publish", "no-such-file.md"], "no-such-file.md"),
        (["preview", "no-such-file.md"], "no-such-file.md"),
        (["count", "--network", "twiter", "x"], "unknown network 'twiter' (did you mean 'twitter'?)"),
        (["resume", "nobody"], "no account 'nobody'"),
        (["share", "retry", "7"], "there is no share 7"),
        (["init"], "is there already"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(config: Path, arguments: list[str], words: str) -> None:
    assert words in fails(config, *arguments)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[site\n", "not valid TOML"),
        ('[accounts.x]\nnetwork = "twiter"\n', "unknown network 'twiter' (did you mean 'twitter'?)"),
        ('[accounts.x]\nnetwork = "mastodon"\ninstance = "https://m.example"\n', "accounts.x.access_token: is missing"),
        (
            '[accounts.x]\nnetwork = "mastodon"\ninstance = "https://m.example"\naccess_token = { env = "NOT_THERE" }\n',
            "accounts.x.access_token: the environment variable NOT_THERE is not set",
        ),
        ('[accounts.x]\nnetwork = "memory"\ntemplate = "mine.txt"\n', "mine.txt"),
        ('[accounts.x]\nnetwork = "memory"\nwhen = "post.titel"\n', "titel"),
        ('[accounts.x]\nnetwork = "memory"\nwhen = "if if"\n', "if if"),
    ],
)
def test_check_tells_what_is_wrong_and_where(config: Path, text: str, words: str) -> None:
    config.write_text(text, encoding="utf-8")
    said = fails(config, "check")

    assert words in said
    assert "reverberate.toml" in said


def test_a_template_with_an_undefined_name_is_told_by_its_line(config: Path, post: str) -> None:
    folder = config.parent / "templates"
    folder.mkdir()
    (folder / "memory.txt").write_text("fine {{ post.title }}\n{{ post.titel }}\n", encoding="utf-8")
    said = fails(config, "check", lines=2)  # one for each account that uses it

    assert "memory.txt" in said
    assert "line 2" in said
    assert "titel" in said
    assert "memory.txt" in fails(config, "preview", post, lines=2)


def test_all_problems_come_at_once(config: Path) -> None:
    config.write_text('[accounts.a]\nnetwork = "x"\n[accounts.b]\nnetwork = "y"\n[sit]\na = 1\n', encoding="utf-8")

    said = fails(config, "check", lines=3)
    done = processes.run(config, "check")
    assert (done.returncode, done.stdout, done.stderr.strip()) == (1, "", said)


def test_without_a_config_the_way_to_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "reverberate.toml"
    assert "reverberate init" in fails(path, "check")
    assert run(path, "init").returncode == 0
    said = fails(path, "check", lines=2)

    assert "MASTODON_TOKEN" in said
    assert "BLUESKY_APP_PASSWORD" in said


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["publish"], ["shares", "--state", "gone"], ["share", "resolve", "1"]]
)
def test_wrong_usage_ends_with_two(config: Path, arguments: list[str]) -> None:
    done = run(config, *arguments)

    assert done.returncode == 2
    assert done.stdout == ""


def test_so_it_does_as_a_program(config: Path) -> None:
    assert processes.run(config, "nonsense").returncode == 2


def test_a_feed_that_is_not_there_is_told_and_nothing_else_stops(config: Path) -> None:
    text = CONFIG + f'[sources.gone]\ntype = "feed"\nurl = "http://127.0.0.1:{free_port()}/feed.xml"\n'
    config.write_text(text, encoding="utf-8")
    done = run(config, "poll", "--json")

    assert done.returncode == 1
    assert "gone: " in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)[0]["trouble"]
    assert ask(config, "sources")[0]["failures"] == 1


@pytest.mark.parametrize(
    "command",
    [["posts"], ["shares"], ["sources"], ["accounts"], ["networks"], ["check"], ["doctor"], ["poll"], ["schema"]],
)
def test_json_is_one_document_on_stdout(config: Path, command: list[str]) -> None:
    arguments = [*command, "--json"] if command != ["schema"] else command
    done = run(config, *arguments)

    assert done.returncode == 0, done.stderr
    json.loads(done.stdout)


@pytest.mark.parametrize(
    "command", [["posts"], ["shares"], ["sources"], ["accounts"], ["networks"], ["check"], ["doctor"]]
)
def test_every_listing_has_words_for_people_too(config: Path, command: list[str]) -> None:
    done = run(config, *command)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_count_counts_as_the_network_does(config: Path) -> None:
    text = "A link https://blog.org/with/a/very/long/path/indeed and 🎉"
    assert ask(config, "count", "--network", "twitter", text) == {
        "count": 7 + 23 + 5 + 2,
        "limit": 280,
        "unit": "weighted characters",
        "remaining": 243,
    }
    assert run(config, "count", "--network", "twitter", "x" * 281).returncode == 1
    assert json.loads(run(config, "count", "--network", "twitter", "-", "--json", stdin="abc").stdout)["count"] == 3


def test_the_version_is_told(config: Path) -> None:
    assert re.fullmatch(r"reverberate \d+\.\d+\.\d+\S*\n", processes.run(config, "--version").stdout)


def test_the_example_config_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "reverberate.toml"
    path.write_text((ROOT / "config.example.toml").read_text(encoding="utf-8"), encoding="utf-8")
    secrets = re.findall(r"""(?m)^[^#\n]*\{ env = "(\w+)" \}""", path.read_text(encoding="utf-8"))
    (tmp_path / "x_token").write_text("t", encoding="utf-8")
    text = (
        path.read_text(encoding="utf-8").replace("/run/secrets", str(tmp_path)).replace("pass show bluesky", "echo p")
    )
    path.write_text(text, encoding="utf-8")
    signing = {"HOOK_SECRET": "whsec_" + "c2VjcmV0" * 5}  # a webhook's secret has a shape of its own
    done = processes.run(path, "check", env=dict.fromkeys(secrets, "s") | signing)

    assert done.returncode == 0, done.stderr
    accounts = len(re.findall(r"(?m)^\[accounts\.", text))
    assert f"{accounts} accounts, 1 sources" in done.stdout


def test_the_readmes_config_is_twelve_lines_and_valid(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    path = tmp_path / "reverberate.toml"
    path.write_text(block, encoding="utf-8")
    done = processes.run(path, "check", env={"MASTODON_TOKEN": "t", "BLUESKY_APP_PASSWORD": "p"})

    assert len([line for line in block.splitlines() if line]) <= 12
    assert done.returncode == 0, done.stderr


def test_the_readmes_commands_exist(config: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^│ (\w+)", run(config, "--help").stdout, re.MULTILINE))
    table = readme.split("## Commands")[1].split("## Docs")[0]
    named = {word for row in table.splitlines() for word in re.findall(r"`(\w+)", row.partition(" | ")[0])}

    assert named
    assert named <= known | {"share"}
    assert known - {"demo", "dispatcher", "worker", "web", "up"} <= named | {"demo"}


def test_every_page_that_the_readme_links_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", readme) if not link.startswith("http")]

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_a_light_command_imports_nothing_heavy(config: Path) -> None:
    """What makes a start slow is what is imported; seconds would tell more of the machine than of the program."""
    done = processes.run(config, "networks", "--json", env={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.split("|")[2].strip() for line in done.stderr.splitlines() if line.count("|") == 2}

    assert imported & {"celery", "sqlalchemy", "alembic", "starlette", "uvicorn", "feedparser", "rich.console"} == set()


def test_everything_may_be_paused_and_go_on_and_an_account_too(config: Path) -> None:
    assert run(config, "pause", "--why", "holidays").stdout == "everything waits; reverberate resume\n"
    assert run(config, "resume").stdout == "everything goes on\n"
    assert run(config, "pause", "one").returncode == 0
    (paused,) = [row for row in ask(config, "accounts") if row["paused"]]

    assert (paused["name"], paused["why"]) == ("one", "paused by hand")


def test_notices_and_statistics_are_listed(config: Path) -> None:
    assert ask(config, "notices") == {"notices": [], "troubles": []}
    assert ask(config, "stats") == {"accounts": [], "posts": [], "hours": []}
    assert run(config, "stats", "--csv").stdout.startswith("share,account,post,title")
    assert "no [notices.nobody]" in fails(config, "notices", "test", "nobody")
