"""What a role is allowed, and how its resources are named."""

from dataclasses import dataclass

from workers.arns import Place, is_arn


@dataclass(frozen=True, slots=True)
class Grant:
    """Actions on resources."""

    actions: tuple[str, ...]
    """Sorted."""
    resources: tuple[str, ...]
    passed_to: str | None = None
    """For iam:PassRole, the service that may be given the role."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The state machine whose role it is, and where."""

    place: Place
    name: str

    @property
    def machine(self) -> str:
        """The machine's own ARN."""
        return self.place.state_machine(self.name)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource beside the machine."""
        return f"arn:{self.place.partition}:{service}:{self.place.region}:{self.place.account}:{resource}"

    def named(self, service: str, before: str, name: str | None) -> str:
        """The ARN of what `name` says, be that a name, an ARN, or None for any."""
        if name and is_arn(name):
            return name
        return self.arn(service, f"{before}{name or '*'}")

    def s3(self, bucket: str | None, key: str | None = None) -> str:
        """The ARN of a bucket, or of objects in it."""
        arn = f"arn:{self.place.partition}:s3:::{bucket or '*'}"
        return f"{arn}/{key}" if key else arn
