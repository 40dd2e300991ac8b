"""What writes the reply of a model of an app's own."""

from gearshift.models.hosts import Brake, Pen, recent


def turns(*sizes: int) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[i % 2], "content": "x" * size} for i, size in enumerate(sizes)]


def test_it_streams_each_piece_and_counts_the_tokens() -> None:
    said: list[str] = []
    pen = Pen(said.append, Brake())
    assert all(pen.write(piece) for piece in ("One", "", " two"))
    written = pen.written(prompt=7)
    assert said == ["One", " two"]
    assert (written.end, written.prompt, written.tokens) == ("eos", 7, 3)
    assert 0 <= written.first <= written.seconds
    assert pen.written(prompt=7, length=True).end == "length"


def test_once_braked_it_streams_the_token_that_came_and_no_more() -> None:
    said, brake = [], Brake()
    pen = Pen(said.append, brake)
    assert pen.write("One") and not pen.stopped
    brake.stop()
    assert not pen.write(" two") and not pen.write(" three") and pen.stopped
    assert said == ["One", " two"] and pen.written(prompt=1).end == "braked"


def test_a_reply_that_is_braked_before_its_first_token_has_none() -> None:
    brake = Brake()
    brake.stop()
    pen = Pen(lambda _: None, brake)
    assert pen.stopped
    written = pen.written(prompt=9)
    assert (written.end, written.tokens, written.first) == ("braked", 0, 0.0)


def test_wound_up_it_ends_within_the_tokens_that_are_left() -> None:
    said, brake = [], Brake()
    pen = Pen(said.append, brake)
    brake.wind_up(2)
    assert pen.write("a") and not pen.write(" b") and not pen.write(" c")
    assert said == ["a", " b"] and pen.written(prompt=1).end == "wound up"


def test_the_oldest_turns_go_first_and_the_system_prompt_and_the_question_stay() -> None:
    system = {"role": "system", "content": "xxx"}
    asked = [system, *turns(30, 30, 3, 3, 3)]
    assert recent(asked, 72) == asked
    assert recent(asked, 71) == [system, *asked[3:]]
    assert recent(asked, 1) == [system, asked[-1]]
    assert len(asked) == 6


def test_what_a_template_puts_around_many_short_turns_counts_too() -> None:
    asked = turns(*[1] * 4001)
    assert len(recent(asked, 1000)) < 1000 // 8
