"""IAM's simulation in small: it judges real policies, by moto's evaluation of them, and answers over HTTP in pages."""

import json
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import web
from moto.iam.access_control import IAMPolicy, PermissionResult

_ANSWER = """<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
<SimulatePrincipalPolicyResult><IsTruncated>{more}</IsTruncated>{marker}<EvaluationResults>{results}</EvaluationResults>
</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"""
_RESULT = """<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{first}</EvalResourceName>
<EvalDecision>{worst}</EvalDecision><ResourceSpecificResults>{each}</ResourceSpecificResults></member>"""
_EACH = """<member><EvalResourceName>{resource}</EvalResourceName>
<EvalResourceDecision>{decision}</EvalResourceDecision></member>"""
_ERROR = """<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>{code}</Code>
<Message>{message}</Message></Error></ErrorResponse>"""
_DECISIONS = {
    PermissionResult.PERMITTED: "allowed",
    PermissionResult.DENIED: "explicitDeny",
    PermissionResult.NEUTRAL: "implicitDeny",
}


class Simulation:
    """Answers SimulatePrincipalPolicy for the roles whose policy documents it is given, by their ARNs."""

    def __init__(self, policies: dict[str, dict[str, Any]]) -> None:
        self.policies = policies

    def __call__(self, parameters: dict[str, str]) -> web.Response:
        """The answer to one page of a request, given as its form."""
        policy = self.policies.get(parameters["PolicySourceArn"])
        if policy is None:
            message = f"{parameters['PolicySourceArn']} does not exist"
            return _xml(_ERROR.format(code="NoSuchEntity", message=message), status=404)
        actions, resources = _listed(parameters, "ActionNames"), _listed(parameters, "ResourceArns")
        page = int(parameters.get("Marker", 0))
        more = page + 1 < len(actions)
        marker = f"<Marker>{page + 1}</Marker>" if more else ""
        result = self._result(IAMPolicy(json.dumps(policy)), actions[page], resources)
        return _xml(_ANSWER.format(more=str(more).lower(), marker=marker, results=result))

    def _result(self, policy: IAMPolicy, action: str, resources: list[str]) -> str:
        each = {resource: _DECISIONS[policy.is_action_permitted(action, resource)] for resource in resources}
        inside = "".join(_EACH.format(resource=escape(name), decision=decision) for name, decision in each.items())
        worst = next((one for one in ("explicitDeny", "implicitDeny") if one in each.values()), "allowed")
        return _RESULT.format(action=action, first=escape(resources[0]), worst=worst, each=inside)


def denied(_: dict[str, str]) -> web.Response:
    """The answer to who may not ask."""
    return _xml(_ERROR.format(code="AccessDenied", message="not you"), status=403)


def _listed(parameters: dict[str, str], name: str) -> list[str]:
    return [value for key, value in parameters.items() if key.startswith(f"{name}.member.")]


def _xml(text: str, *, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/xml")
