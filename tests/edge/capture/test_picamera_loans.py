"""Whatever happens to them, the camera gets each request back once, and always has some left."""

from hypothesis import given
from hypothesis import strategies as st

from edge.capture.picamera.loans import Loans

MOST, KEPT = 6, 4


class Request:
    def __init__(self):
        self.uses = 1

    def acquire(self):
        assert self.uses > 0
        self.uses += 1

    def release(self):
        self.uses -= 1
        assert self.uses >= 0


STEPS = st.lists(st.sampled_from(["frame", "read", "read and fail", "code", "code twice", "code another"]), max_size=80)


@given(STEPS, st.integers(0, 80))
def test_every_request_goes_back_exactly_once(steps, closed_at):
    loans, requests, numbers = Loans(MOST, KEPT), [], []
    for at, step in enumerate(steps):
        if at == closed_at:
            loans.close()
        if step == "frame":
            requests.append(Request())
            loans.lend(requests[-1])
            requests[-1].release()
        elif step.startswith("read"):
            loan = loans.take(0)
            if loan and step == "read":
                numbers.append(at)
                loans.keep(at, loan)
            elif loan:
                loan.give_back()
                loan.give_back()
        elif step == "code another":
            loans.done(-1)
        elif numbers:
            number = numbers.pop(0)
            loans.done(number)
            if step == "code twice":
                loans.done(number)
        assert sum(request.uses > 0 for request in requests) <= MOST
    loans.close()
    loans.give_back_all()
    loans.lend(late := Request())
    assert late.uses == 1
    assert not any(request.uses for request in requests)
    assert loans.take(0) is None


def test_the_eldest_makes_room_when_nobody_codes():
    loans, requests = Loans(MOST, KEPT), [Request() for _ in range(10)]
    for number, request in enumerate(requests):
        loans.lend(request)
        request.release()
        loans.keep(number, loans.take(0))
    assert [loans.kept(number) is not None for number in range(10)] == [False] * 6 + [True] * 4
    assert loans.refused == 0


def test_what_is_too_much_stays_with_the_camera_and_is_counted():
    loans, requests = Loans(MOST, KEPT), [Request() for _ in range(10)]
    for request in requests:
        loans.lend(request)
    assert [request.uses for request in requests] == [2] * MOST + [1] * 4
    assert loans.refused == 4
