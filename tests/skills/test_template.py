"""Tasks with blanks: filled in, they are the task again, and no other task fits."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmem.core.skills import SkillStep
from hybridmem.skills.template import Template

WORDS = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=2, max_size=8)


@settings(max_examples=30, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=5), st.lists(WORDS, min_size=1, max_size=3, unique=True), WORDS)
def test_a_template_filled_with_its_own_task_is_the_run(said: list[str], values: list[str], tool: str) -> None:
    task = " ".join(["please", *said, *values])
    steps = (SkillStep(tool, {f"a{number}": value for number, value in enumerate(values)}), SkillStep(tool))
    template = Template.of(task, steps)
    assert template.filled(task) == steps
    assert template.filled(f"  {task.upper() if template.task == task else task} . ") is not None
    assert template.filled(f"{task} please") is None


@settings(max_examples=20, deadline=None)
@given(WORDS, WORDS)
def test_another_value_is_put_into_the_steps(one: str, other: str) -> None:
    template = Template.of(f"Deploy the service {one}!", [SkillStep("deploy", {"name": one, "fast": True})])
    assert template.filled(f"deploy the service {other}") == (SkillStep("deploy", {"name": other, "fast": True}),)


def test_a_value_that_comes_twice_has_to_be_the_same() -> None:
    template = Template.of("Copy web to web", [SkillStep("copy", {"name": "web"})])
    assert template.task == "Copy {name} to {name}"
    assert template.filled("Copy api to api") == (SkillStep("copy", {"name": "api"}),)
    assert template.filled("Copy api to web") is None


def test_two_values_have_two_blanks_and_braces_have_none() -> None:
    steps = [SkillStep("copy", {"name": "api"}), SkillStep("paste", {"name": "web"})]
    assert Template.of("Copy api to web", steps).task == "Copy {name} to {name_2}"
    assert Template.of("Copy {api} to web", steps).task == "Copy {api} to web"
