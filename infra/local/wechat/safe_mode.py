"""Sign and encrypt message pushes as WeChat's safe mode does.

AES-256-CBC with the key's first 16 bytes as IV and PKCS#7 blocks of 32; the plaintext is
16 random bytes, the message's length (4 bytes, big-endian), the message and the appid.
*Source:* 消息推送 / 消息加解密 guide; its golden vectors are the tests of this module.
"""

import base64
import hashlib
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

_BLOCK_BYTES = 32
_RANDOM_BYTES = 16


def signature(*parts: str) -> str:
    """Return sha1 over the sorted parts, in hex: (token, timestamp, nonce[, encrypted])."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def encrypt(message: bytes, *, aes_key: str, appid: str, random: bytes | None = None) -> str:
    """Return the `Encrypt` value for a message; `random` is 16 bytes, fresh unless given."""
    prefix = random if random is not None else secrets.token_hex(_RANDOM_BYTES // 2).encode()
    plain = prefix + len(message).to_bytes(4, "big") + message + appid.encode()
    padding = _BLOCK_BYTES - len(plain) % _BLOCK_BYTES
    cipher = _cipher(aes_key).encryptor()
    sealed = cipher.update(plain + bytes([padding]) * padding) + cipher.finalize()
    return base64.b64encode(sealed).decode()


def decrypt(encrypted: str, *, aes_key: str, appid: str) -> bytes:
    """Return the message inside an `Encrypt` value; ValueError when it is not for `appid`."""
    cipher = _cipher(aes_key).decryptor()
    padded = cipher.update(base64.b64decode(encrypted)) + cipher.finalize()
    plain = padded[: -padded[-1]]
    start = _RANDOM_BYTES + 4
    end = start + int.from_bytes(plain[_RANDOM_BYTES:start], "big")
    if plain[end:] != appid.encode():
        raise ValueError("encrypted for another appid")
    return plain[start:end]


def _cipher(aes_key: str) -> Cipher[CBC]:
    key = base64.b64decode(aes_key + "=")
    return Cipher(AES(key), CBC(key[:16]))
