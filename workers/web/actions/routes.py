"""The addresses of actions. ARNs stand last: those of children of a Map run hold slashes."""

from starlette.routing import Route

from workers.web.actions import execution, starting, workflow

_FORM = ["GET", "POST"]

ROUTES = [
    Route("/definitions/{name}/start", starting.start_workflow, methods=_FORM, name="start_workflow"),
    Route("/workflows/{workflow_id}", workflow.workflow, name="workflow"),
    Route("/workflows/{workflow_id}/{action}", workflow.act, methods=_FORM, name="workflow_action"),
    Route("/machines/{name}/start", execution.start_execution, methods=_FORM, name="start_execution"),
    Route("/executions/commands/of/{arn:path}", execution.lines, name="execution_commands"),
    Route("/executions/{action:str}/of/{arn:path}", execution.act, methods=_FORM, name="execution_action"),
]
