"""The service account's calls, through wechatpy's client with our own token store.

wechatpy's ways with tokens are not used: it fetches them without a timeout, keeps their end in
memory, and on a token that stays rejected recurses until Python stops it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from models.gateways.wechat.errors import Unreachable, WeChatError, refusal
from models.gateways.wechat.tokens import Tokens
from models.gateways.wechat.transport import Transport, hide_queries, note, unreachable
from models.people.entities import FollowerInfo


class ServiceAccount:
    """Speaks for the service account. Methods may raise ``WeChatError``, an ``Unavailable``."""

    def __init__(
        self, *, appid: str, tokens: Tokens, transport: Transport, mini_appid: str
    ) -> None:
        self._appid = appid
        self._tokens = tokens
        self._transport = transport
        self._mini_appid = mini_appid

    def user_info(self, service_openid: str) -> FollowerInfo:
        """Tell whether a user follows, and his unionid while he does. Raises ``OpenidUnknown``."""
        answer = self._call("get", "user/info", params={"openid": service_openid, "lang": "zh_CN"})
        unionid = answer.get("unionid")
        return FollowerInfo(
            subscribed=str(answer.get("subscribe")) == "1",
            unionid=str(unionid) if unionid else None,
        )

    def send_template(
        self,
        *,
        service_openid: str,
        template_id: str,
        fields: Mapping[str, str],
        page: str,
        client_msg_id: str,
    ) -> str:
        """Send a template message that opens a page of the mini-program; answers its id.

        A ``client_msg_id`` repeated within 10 minutes is not sent again. Raises ``NotFollowing``,
        ``ArgumentInvalid``, ``PageUnknown``, ``TemplateUnknown``, ``OpenidUnknown``.
        """
        # wechatpy's send_template cannot pass client_msg_id.
        body = {
            "touser": service_openid,
            "template_id": template_id,
            "miniprogram": {"appid": self._mini_appid, "pagepath": page},
            "client_msg_id": client_msg_id,
            "data": {key: {"value": value} for key, value in fields.items()},
        }
        answer = self._call("post", "message/template/send", params={}, data=body)
        if "msgid" not in answer:
            raise Unreachable("Nomsgid")
        return str(answer["msgid"])

    def _call(self, method: str, path: str, *, params: Mapping[str, str], **how: Any) -> Any:
        def with_token(token: str) -> Any:
            answer = self._outcome(method, path, params={**params, "access_token": token}, **how)
            if isinstance(answer, WeChatError):
                # Raised here and not where it was caught: the cause would bring the URL along.
                note(f"/cgi-bin/{path}", answer)
                raise answer
            return answer

        return self._tokens.calling(with_token)

    def _outcome(self, method: str, path: str, **how: Any) -> Any:
        from requests import RequestException
        from wechatpy.exceptions import WeChatClientException

        try:
            answer = getattr(self._client, method)(path, allow_redirects=False, **how)
        except WeChatClientException as error:
            # An HTTP status without JSON is an error without an errcode.
            if error.errcode is None:
                return Unreachable("Status")
            return refusal(error.errcode, str(error.errmsg))
        except RequestException as error:
            return unreachable(error)
        return answer if isinstance(answer, dict) else Unreachable("NotJSON")

    @cached_property
    def _client(self) -> Any:
        import wechatpy  # 117 ms: only a process that sends to followers pays for it

        class Client(wechatpy.WeChatClient):  # type: ignore[misc]  # wechatpy has no types
            API_BASE_URL = f"{self._transport.base_url}/cgi-bin/"

        hide_queries()
        client = Client(
            self._appid,
            None,  # the secret is our token store's concern
            timeout=self._transport.timeouts_s,
            auto_retry=False,
        )
        client._http.trust_env = False
        return client
