"""WeChat's own golden vectors for signatures and encryption."""

import json

import pytest

from infra.local.wechat import safe_mode
from infra.local.wechat.accounts import ACCOUNTS

TOKEN, KEY, APPID = "AAAAA", "A" * 43, "wxba5fad812f8e6fb9"
ENCRYPTED = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcv"
    "ZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3F"
    "n2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSe"
    "OBrebufAlr7F9mFUPAJGj04="
)
REPLY = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("1714036504", "1514711492"), "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        (("1714037059", "486452656"), "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
        (("1714112445", "415670741"), "6c5c811b55cc85e0e1b54100749188c20beb3f5d"),
        (("1714112445", "415670741", ENCRYPTED), "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"),
        (("1713424427", "415670741", REPLY), "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"),
    ],
)
def test_signatures_are_those_of_the_golden_vectors(parts: tuple[str, ...], expected: str) -> None:
    assert safe_mode.signature(TOKEN, *parts) == expected


def test_golden_push_decrypts_to_its_event() -> None:
    event = json.loads(safe_mode.decrypt(ENCRYPTED, aes_key=KEY, appid=APPID))

    assert event["Event"] == "debug_demo"
    assert event["debug_str"] == "hello world"


def test_golden_reply_is_encrypted_byte_for_byte() -> None:
    message = b'{"demo_resp":"good luck"}'

    sealed = safe_mode.encrypt(message, aes_key=KEY, appid=APPID, random=b"707722b803182950")

    assert sealed == REPLY


def test_message_for_another_appid_is_refused() -> None:
    with pytest.raises(ValueError, match="another appid"):
        safe_mode.decrypt(ENCRYPTED, aes_key=KEY, appid="wx0000000000000009")


def test_local_accounts_have_usable_and_different_keys() -> None:
    for account in ACCOUNTS:
        assert len(account.aes_key) == 43
        sealed = safe_mode.encrypt(b"x" * 32, aes_key=account.aes_key, appid=account.appid)
        opened = safe_mode.decrypt(sealed, aes_key=account.aes_key, appid=account.appid)
        assert opened == b"x" * 32
    assert len({account.aes_key for account in ACCOUNTS}) == len(ACCOUNTS)
