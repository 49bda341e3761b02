"""Check pieces of GET /v1/points/export offline: verify_statement.py FILE... [--root=PUBLISHED]."""

import hashlib
import json
import sys
from pathlib import Path

KINDS = {"available": "a", "pending": "p", "held": "h", "debt": "d"}


def sha(*parts):
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def need(is_so, where, what):
    if not is_so:
        sys.exit(f"WRONG {where}: {what}")


def verify(pieces, published):
    member, own, heads = pieces[0]["member_id"], {}, ["0" * 64]
    for piece in pieces:
        is_last = len(piece) == 5 and (piece["next_cursor"] is None) == (piece is pieces[-1])
        need(is_last and piece["member_id"] == member, "file", "pieces are missing or foreign")
    for number, line in enumerate((line for piece in pieces for line in piece["entries"]), 1):
        follows = len(line) == 2 and sha(heads[-1], line["body"]) == line["hash"]
        need(follows, f"line {number}", "changed, or not the one that follows")
        body = json.loads(line["body"])
        is_next = (body["member_id"], body["seq"]) == (member, number)
        need(is_next and not sum(body["legs"].values()), f"line {number}", "foreign, or not zero")
        for account, points in body["legs"].items():
            if (kind := account.partition(":")[0]) in KINDS.values():
                own[account] = after = own.get(account, 0) + points
                need(after * (-1 if kind == "d" else 1) >= 0, f"line {number}", "overdraws")
        heads.append(line["hash"])
    own = {account: points for account, points in own.items() if points}
    sums = {k: abs(sum(n for a, n in own.items() if a[0] == KINDS[k])) for k in KINDS}
    wallet, root, count = pieces[-1]["wallet"], pieces[-1]["root"], len(heads) - 1
    need(wallet["version"] == count, f"line {count + 1}", f"{wallet['version']} lines are due")
    says = (wallet["head"], wallet["accounts"], wallet["balances"], len(wallet))
    need(says == (heads[-1], own, sums, 4), "wallet", f"the lines lead to {heads[-1]} {sums} {own}")
    if root or published:
        need(root and 0 < root["version"] <= count, "root", "it is missing, or lines are")
        node = sha("leaf", member, str(root["version"]), heads[root["version"]])
        for step in root["path"]:
            node = sha("node", *sorted((node, step)))
        is_under = sha("root", root["day"], root["previous"], node) == root["root"]
        need(is_under and len(root) == 5, f"root, line {root['version']}", "not under it")
        need(not published or published == root["root"], "root", "not the published one")
    return f"OK {count} lines, {sums}, root {root and (root['day'], root['root'])}"


if __name__ == "__main__":
    asked = [one.partition("--root=") for one in sys.argv[1:]]
    try:
        files = [json.loads(Path(name).read_bytes()) for name, _, _ in asked if name]
        print(verify(files, "".join(root for _, _, root in asked)))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        sys.exit(f"WRONG file: not a statement ({error!r})")
