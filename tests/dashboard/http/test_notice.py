"""Pages of a few sentences, which strangers see, and which need no other file."""

import hashlib
import re
from base64 import b64encode

from miharu.dashboard.http.notice import notice


def test_its_style_is_the_one_that_the_policy_knows() -> None:
    page = notice(401, "A token is needed", "Who are you?", asks_for_token=True)
    [style] = re.findall(r"<style>(.*?)</style>", page.body.decode(), re.DOTALL)
    known = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{known}'" in dict(page.headers)["Content-Security-Policy"]


def test_it_asks_for_nothing_else() -> None:
    body = notice(500, "Something failed", "Try again.", onward="./").body.decode()
    assert not re.search(r"(?:src|href)=|@import|url\((?!=)", body.replace("url=./", ""))
    assert "<form" not in body
    assert 'content="0; url=./"' in body


def test_a_token_is_typed_unseen_and_needs_no_script() -> None:
    body = notice(401, "A token is needed", asks_for_token=True).body.decode()
    assert '<input id="token" name="token" type="password" autocomplete="off" required>' in body
    assert "<script" not in body
