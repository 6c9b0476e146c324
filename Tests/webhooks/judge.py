"""Holds webhook messages against the reference library of Standard Webhooks.

    .build/judge/bin/python Tests/webhooks/judge.py messages.ndjson

A line is a message: {"secret": "whsec_…", "headers": {…}, "body": "…"}. The library has to take each as it is, and to refuse
it with another body, id or secret. Needs `standardwebhooks` from PyPI, for which the Makefile makes a virtual environment.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def is_taken(secret, headers, body):
    try:
        Webhook(secret).verify(body, headers)
        return True
    except WebhookVerificationError:
        return False


def main(path):
    count = 0
    with open(path, encoding="utf-8") as file:
        for count, line in enumerate(file, 1):
            message = json.loads(line)
            secret, headers, body = message["secret"], message["headers"], message["body"]
            others = [
                (secret, headers, body.replace("0", "1")),
                (secret, headers | {"webhook-id": "other"}, body),
                ("whsec_" + "A" * 44, headers, body),
            ]
            if not is_taken(secret, headers, body) or any(is_taken(*other) for other in others):
                print(f"message {count} is not as the library wants it")
                return 1
    print(f"{count} messages taken")
    return 0 if count else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
