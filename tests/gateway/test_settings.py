"""Settings: the file, the environment, and one exact message per mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from filters.classes import Harm
from gateway.routes import Downlink, Fields, Hide, Hiding
from gateway.settings import PolicySettings, SettingsError, load_settings
from protection.verdicts import Disposition
from ratelimit.rate import Rate

ROUTE = """
[[route]]
path = "/ws"
upstream = "ws://127.0.0.1:9000/ws"
codec = "json"
kind = "barrage"
[route.match]
type = "barrage"
[route.fields]
text = "text"
"""


DOWNLINK = """
[route.downlink]
match = { type = "barrage" }
fields = { text = "data.text", sender = "user" }
"""
HIDE = ROUTE + "[route.hide]\n"


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "shieldwire.toml"
    file.write_text(text)
    return file


def test_a_whole_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    file = written(tmp_path, '[server]\nport = 1\n[identity]\nsource = "query"\nname = "user"\n' + ROUTE)
    environment = {
        "SHIELDWIRE_SERVER__PORT": "9090",
        "SHIELDWIRE_API__SECRET": "12345",
        "SHIELDWIRE_SERVER__TRUSTED_PROXIES": '["10.0.0.1"]',
        "SHIELDWIRE_CONFIG": "not a key",
        "PATH": "/bin",
    }
    settings = load_settings(file, environment)
    assert settings.server.port == 9090
    assert settings.server.trusted_proxies == ("10.0.0.1",)
    assert settings.api.secret == "12345"
    assert settings.route[0].match == {"type": "barrage"}


@pytest.mark.req("P7", "S1")
def test_a_downlink_and_how_a_route_hides_are_read(tmp_path: Path) -> None:
    (route,) = load_settings(written(tmp_path, ROUTE + DOWNLINK), {}).route
    assert route.downlink == Downlink({"type": "barrage"}, Fields(text="data.text", sender="user"))
    assert route.broadcasts is not None
    assert (route.broadcasts.fields, route.broadcasts.kind) == (route.downlink.fields, route.kind)
    assert route.hiding is Hiding.FORWARD
    (route,) = load_settings(written(tmp_path, HIDE + 'answer = "{id}"\nstatus = 201\n'), {}).route
    assert (route.hide, route.hiding) == (Hide(answer="{id}", status=201), Hiding.ANSWER)
    (route,) = load_settings(written(tmp_path, ROUTE), {}).route
    assert (route.hiding, route.broadcasts) == (Hiding.REJECT, None)


def test_the_policy_is_written_in_words(tmp_path: Path) -> None:
    text = '[policy.ladders]\ninsult = ["mask", "mask", "reject"]\n[policy.limits]\nflood = "3/m"\n'
    policy = load_settings(written(tmp_path, text), {}).policy.build()
    assert policy.ladders[Harm.INSULT] == (Disposition.MASK, Disposition.MASK, Disposition.REJECT)
    assert (policy.limits.flood.limit, policy.limits.flood.period_s) == (3, 60)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[server\n", "not valid TOML"),
        ("[server]\nprot = 1\n", "unknown key 'prot' in table [server]; the nearest known key is 'port'"),
        ("[sever]\nport = 1\n", "unknown key 'sever' in the top level; the nearest known key is 'server'"),
        (ROUTE + 'txt = "t"\n', "unknown key 'txt' in table [route.fields]; the nearest known key is 'text'"),
        ('[server]\nport = "x"\n', "Expected `int`, got `str` - at `$.server.port`"),
        ("[server]\nport = 70000\n", "port 70000 is not in 0..65535"),
        ("[server]\nworkers = 0\n", "workers must be at least 1"),
        ("[server]\ndrain_s = -1\n", "drain_s must be at least 0"),
        ("[state]\npartitions = 0\n", "partitions must be at least 1"),
        ("[state]\nstaleness_s = 0\n", "staleness_s must be at least 0.1"),
        ('[state]\nurl = "http://x"\n', "[state]: url: "),
        ("[policy.cases]\nrepeated = 0\n", "repeated and window_s must be at least 1"),
        ('[server]\ncertificate = "nowhere.pem"\nkey = "nowhere.key"\n', "certificate 'nowhere.pem' is no file"),
        (ROUTE + ROUTE, "[[route]] '/ws' is never reached: '/ws' comes before it"),
        ('[[route]]\npath = "/{rest:path}"\nupstream = "ws://x/"\n' + ROUTE, "'/{rest:path}' comes before it"),
        ('[identity]\nsource = "jwt"\n', "needs a secret or jwks"),
        ('[identity]\nsource = "header"\n', "needs a name"),
        (ROUTE.replace('"/ws"', '"ws"', 1), "path must begin with /"),
        (ROUTE.replace("ws://127.0.0.1:9000/ws", "ftp://x"), "is not a ws, wss, http or https address"),
        (ROUTE.replace("ws://127.0.0.1:9000/ws", "ws://x/{room}"), "uses a {name} that the path does not have"),
        (ROUTE + 'room = "path.rom"\n', "path.rom is no name in the path '/ws'"),
        (ROUTE.replace('kind = "barrage"', "", 1), "needs a kind, or fields.kind"),
        (ROUTE.replace('text = "text"', 'id = "id"'), "codec json needs fields.text"),
        (ROUTE.replace('text = "text"', 'text = "query.t"'), "fields.text must be in the payload"),
        (ROUTE.replace('codec = "json"', 'codec = "opaque"'), "an opaque route is never judged"),
        (
            ROUTE + DOWNLINK.replace("match", "mach"),
            "unknown key 'mach' in table [route.downlink]; the nearest known key",
        ),
        (
            ROUTE + DOWNLINK.replace("sender", "sendr"),
            "unknown key 'sendr' in table [route.downlink.fields]; the nearest known key is 'sender'",
        ),
        (ROUTE.replace("ws://", "http://") + DOWNLINK, "only a WebSocket route has a downlink"),
        (ROUTE + DOWNLINK.replace("sender", "id"), "downlink.fields needs sender"),
        (ROUTE + DOWNLINK.replace("text =", "id ="), "downlink: codec json needs fields.text"),
        (ROUTE + DOWNLINK.replace('"user"', '"path.user"'), "downlink: path.user is no name in the path '/ws'"),
        (
            '[[route]]\npath = "/"\nupstream = "ws://x/"\ncodec = "text"\nkind = "chat"\n' + DOWNLINK,
            "a downlink needs codec json",
        ),
        ('[[route]]\npath = "/"\nupstream = "ws://x/"\n' + DOWNLINK, "an opaque route is never judged"),
        ('[[route]]\npath = "/"\nupstream = "ws://x/"\n[route.hide]\n', "an opaque route is never judged"),
        (HIDE, "hide takes either forward = true or an answer"),
        (HIDE + 'forward = true\nanswer = "x"\n', "hide takes either forward = true or an answer"),
        (HIDE + "forward = true\n", "forward = true needs a route with a downlink"),
        (HIDE + 'anwser = "x"\n', "unknown key 'anwser' in table [route.hide]; the nearest known key is 'answer'"),
        (HIDE + "answer = '{\"i\":{idd}}'\n", "hide.answer: unknown {idd}; the nearest known one is {id}"),
        (HIDE + 'answer = "x"\nstatus = 403\n', "hide.status 403 is no answer to a message that was taken"),
        ('[policy.ladders]\ninsult = ["hold", "hold", "hold"]\n', "hold is not built in this version"),
        ('[policy.ladders]\nrude = ["mask", "mask", "mask"]\n', "'rude' is not a valid Harm; the classes are insult,"),
        ('[policy.limits]\nflod = "3/m"\n', "unknown key 'flod'; the nearest known key is 'flood'"),
        ('[policy.limits]\nflood = "fast"\n', "'fast' is not a rate"),
    ],
)
def test_every_mistake_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {})
    assert message in str(caught.value)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SHIELDWIRE_SERVER__PROT", "1", "unknown key 'prot' in table [server]; the nearest known key is 'port'"),
        ("SHIELDWIRE_SERVER__PORT", "eighty", "is not a TOML value"),
        ("SHIELDWIRE_SEVER__PORT", "1", "unknown key 'sever'"),
    ],
)
def test_mistakes_in_the_environment_are_named_too(name: str, value: str, message: str) -> None:
    with pytest.raises(SettingsError, match="environment") as caught:
        load_settings(None, {name: value})
    assert message in str(caught.value)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load_settings(tmp_path / "nowhere.toml", {})


@pytest.mark.req("P3", "S1")
def test_who_may_say_more_in_one_room_may_say_more_in_all() -> None:
    assert PolicySettings(limits={"flood": "20/10s"}).build().limits.in_all_rooms == Rate(60, 10)
    assert PolicySettings(limits={"flood": "1000000/1s"}).build().limits.in_all_rooms == Rate(1_000_000, 1)
    assert PolicySettings(limits={"sender_flood": "7/1s"}).build().limits.in_all_rooms == Rate(7, 1)
