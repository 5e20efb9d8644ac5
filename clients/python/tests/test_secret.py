import unittest

from app_net.handshake import transcript
from app_net.secret import base64url, keys_of, sha256_hmac

SECRET = "net1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


def limits() -> str:
    return '"limits":{"message":65536,"calls":16}}'


class WorkedExample(unittest.TestCase):
    """The one in docs/protocol.md."""

    def test_the_keys_follow_from_the_secret(self) -> None:
        keys = keys_of(SECRET)
        self.assertEqual(keys.dialler.hex(), "b2232813fdcd76cb2d4ed8085241660b98f3ffbcec02505aa851f00e515b6c8e")
        self.assertEqual(keys.acceptor.hex(), "b99e322a9b479669c4488271642ab80f458355a9bbcdd1ae9c38d451feaae656")
        self.assertEqual(keys.world, "YMWiRlC3nJfiWify")

    def test_the_proofs_follow_from_the_messages(self) -> None:
        keys = keys_of(SECRET)
        m1 = ('{"type":"hello","versions":[1],"id":"dialler","incarnation":"one",'
              '"nonce":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE","to":"",' + limits())
        m2 = ('{"type":"welcome","version":1,"versions":[1],"id":"acceptor","incarnation":"two",'
              '"nonce":"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI",' + limits())
        hashed = transcript(("127.0.0.1", 40123), m1, m2)
        self.assertEqual(hashed.hex(), "0863bc69476f116edf7c0215bf3875ba74dfb66590e06b3541d6069033361e68")
        proof = base64url(sha256_hmac(keys.dialler, hashed))
        self.assertEqual(proof, "AVci9fR8YFsKM48ede7PoFv0QLreK6ysZRQG9Ip9tL4")
        m3 = f'{{"type":"proof","proof":"{proof}"}}'
        self.assertEqual(base64url(sha256_hmac(keys.acceptor, hashed + m3.encode())),
                         "wkNXXdJvi6ajqDapXEFkqnWVl5A_FnURmNZjCisnGTw")

    def test_an_address_mapped_into_ipv6_is_written_as_ipv4(self) -> None:
        self.assertEqual(transcript(("::ffff:127.0.0.1", 1), "", ""), transcript(("127.0.0.1", 1), "", ""))

    def test_a_passphrase_is_a_secret_too_however_it_is_composed(self) -> None:
        self.assertEqual(keys_of("caf\u00e9"), keys_of("cafe\u0301"))
