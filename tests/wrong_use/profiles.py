"""How many examples Hypothesis tries: the same ones each time, with nothing kept between runs."""

from hypothesis import HealthCheck, settings

FEW = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MANY = settings(FEW, max_examples=500)


def accepted(function, error, *arguments):
    """Return whether a call is accepted; where it is not, check that the error is the one meant, and of one line."""
    message = None
    try:
        function(*arguments)
    except error as caught:
        message = str(caught)
    assert message is None or (message and "\n" not in message)
    return message is None
