"""OpenFeature's SDK for Python: each question is a request. Lines of JSON in, lines of JSON out."""

import json
import sys

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext


def text(member):
    return None if member is None else str(getattr(member, "value", member))


def told(details):
    return {
        "value": details.value,
        "variant": details.variant,
        "reason": text(details.reason),
        "error": text(details.error_code),
        "version": details.flag_metadata.get("version"),
    }


api.set_provider(OFREPProvider(sys.argv[1], headers_factory=lambda: {"X-Teal-Environment": "prod"}))
client = api.get_client()
for line in sys.stdin:
    question = json.loads(line)
    attributes = dict(question["context"])
    context = EvaluationContext(targeting_key=attributes.pop("targetingKey", None), attributes=attributes)
    ask = getattr(client, f"get_{question['type']}_details")
    print(json.dumps(told(ask(question["flag"], question["fallback"], context))), flush=True)
