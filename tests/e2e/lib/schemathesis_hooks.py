"""What schemathesis has to know beyond the document."""

import schemathesis

# The body of tus is bytes.
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")


def whole(value):
    """Whole numbers without a fraction, as every JSON encoder writes them: for a schema 5.0 is an integer, for the edge only 5."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    return value


@schemathesis.hook
def map_body(context, body):
    return whole(body)
