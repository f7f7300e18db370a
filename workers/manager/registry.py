"""The service's part for state resources and queues."""

from workers.manager.model import Queue, QueueState, StateResource
from workers.manager.requests import NewStateResource
from workers.manager.store.interface import Store
from workers.manager.sync.sync import Sync


class RegistryService:
    """State resources and queues; see `workers.manager.interface.Registry`."""

    store: Store
    sync: Sync

    async def state_resources(self, namespace: str | None = None) -> list[StateResource]:
        """Those of a namespace, or all."""
        return await self.store.state_resources(namespace)

    async def state_resource(self, namespace: str, name: str) -> StateResource:
        """One of them."""
        return await self.store.state_resource(namespace, name)

    async def put_state_resource(self, resource: NewStateResource) -> StateResource:
        """Creates one, or replaces it."""
        return await self.store.save_state_resource(StateResource(**resource.model_dump(by_alias=False)))

    async def delete_state_resource(self, namespace: str, name: str) -> None:
        """Deletes one."""
        await self.store.delete_state_resource(namespace, name)

    async def queues(self) -> list[QueueState]:
        """Those that have a limit, or workflows that have not ended."""
        return await self.store.queues()

    async def put_queue(self, name: str, limit: int | None) -> QueueState:
        """Sets how many of its workflows may run at a time; None is any number."""
        await self.store.save_queue(Queue(name=name, limit=limit))
        self.sync.starter.wake()
        return next((queue for queue in await self.store.queues() if queue.name == name), QueueState(name=name))

    async def delete_queue(self, name: str) -> None:
        """Takes the limit away."""
        await self.store.delete_queue(name)
        self.sync.starter.wake()
