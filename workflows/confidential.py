"""A service whose cases are secret (行政程序法 170 II): its own officers take them in, nobody registers them first."""

from workflows.model import WorkflowDefinition

#: the parameter of a service
CONFIDENTIAL = "confidential"
#: whose desk lies before that of the unit
DESK, OWN = "operator", "officer"


def kept_secret(definition: WorkflowDefinition) -> WorkflowDefinition:
    """The workflow with the officers of the unit where others would register the case."""
    states = {
        key: state.model_copy(
            update={
                "tasks": tuple(
                    task.model_copy(update={"function": OWN}) if task.function == DESK else task
                    for task in state.tasks
                ),
                "transitions": {
                    name: action.model_copy(update={"functions": _own(action.functions)})
                    for name, action in state.transitions.items()
                },
            }
        )
        for key, state in definition.states.items()
    }
    return definition.model_copy(update={"states": states})


def _own(functions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(OWN if name == DESK else name for name in functions))
