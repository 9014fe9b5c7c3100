"""The foreign nodes of one worker: loads the packs, and asks their nodes again for inputs that list files."""

import logging
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nodes.context import Home
from nodes.registry import Registry
from nodes.shims.added_samplers import take_added
from nodes.shims.folder_paths import roots_of_packs
from nodes.shims.install import install
from nodes.spec import NodeSpec
from nodes.v1.adapter import ForeignClass
from nodes.v1.pack_server import PackServer
from nodes.v1.packs import LoadedPack, Pack, attempt, find_packs, load_packs
from nodes.v1.runtime import PACKAGE, Runtime

LOG = logging.getLogger("weft.custom_nodes")


class CustomNodes:
    """Loads all packs that are wanted into a registry, whose own nodes keep their ids.

    `failures` tells what is wrong with packs and `web_directories` where their files for the browser lie, by name.
    """

    def __init__(self, home: Home, registry: Registry) -> None:
        self.failures: dict[str, str] = {}
        self.web_directories: dict[str, Path] = {}
        self._registry = registry
        self._lock = threading.Lock()
        self._classes: dict[str, ForeignClass] = {}
        self._runtime = Runtime(home, registry)
        roots = roots_of_packs(home.paths)
        settings = home.settings
        self.pack_socket: Path | None = None
        self._server: PackServer | None = None
        self._uninstall: Callable[[], None] = lambda: None
        packs = find_packs(roots, lambda name: settings.custom_nodes or name in settings.custom_nodes_wanted)
        if not packs:
            return
        self._server = PackServer(home.paths.temp)
        self._uninstall = install(self._runtime, self._server)
        found = load_packs(packs, roots, home)
        self.failures |= found.failures
        with self._runtime.listing_once():
            for loaded in found.loaded:
                home.loading(loaded.pack.name)
                self._add(loaded)
            self._add_undeclared(packs)
            self._add_renamed()
        take_added(sys.modules["comfy.samplers"], registry, home.services)
        home.loading("")
        self.pack_socket = attempt("routes of packs", self.failures, self._server.start)

    def close(self) -> None:
        """Takes the modules that packs import away again, and the packs with them."""
        if self._server is not None:
            self._server.close()
        self._uninstall()
        for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
            del sys.modules[name]

    def _add(self, loaded: LoadedPack) -> None:
        name = loaded.pack.name
        if loaded.web is not None:
            self.web_directories[name] = loaded.web
        before = len(self._registry)
        for id, node in loaded.classes.items():
            attempt(name, self.failures, lambda id=str(id), node=node: self._add_node(loaded, id, node))
        LOG.info("Custom nodes: %s has added %d nodes.", name, len(self._registry) - before)

    def _add_undeclared(self, packs: Sequence[Pack]) -> None:
        """Adds what packs have put into NODE_CLASS_MAPPINGS of our nodes, in place of one of their own."""
        by_module = {pack.module_name: pack for pack in packs}
        for id, node in self._runtime.added.items():
            pack = by_module.get(".".join(str(node.__module__).split(".")[:2]))
            if pack is not None and id not in self._registry:
                self._add(LoadedPack(pack, {id: node}, {}))

    def _add_renamed(self) -> None:
        """Adds nodes under the ids that they had before as well, for workflows that are saved with these."""
        for old, new in self._runtime.renamed.items():
            foreign = self._classes.get(new)
            if foreign is not None and old not in self._registry:
                older = type(foreign.node.__name__, (foreign.node,), {"DEPRECATED": True})
                self._classes[old] = replace(foreign, id=old, node=older)
                self._runtime.classes[old] = older
                self._registry.add(self._classes[old].spec())

    def _add_node(self, loaded: LoadedPack, id: str, node: Any) -> None:
        if id in self._registry:
            owner = self._registry[id].module
            raise TakenIdError(f"The node {id!r} is left out: {owner} has a node of this id already, which stays.")
        try:
            node = node.as_class() if hasattr(node, "define_schema") else node
            title = loaded.display_names.get(id) or getattr(node, "DISPLAY_NAME", None) or id
            foreign = ForeignClass(id, node, str(title), f"custom_nodes.{loaded.pack.name}", self._runtime)
            self._registry.add(foreign.spec())
        except Exception as error:
            error.add_note(f"The node {id!r} is left out: it does not declare itself as the protocol asks.")
            raise
        self._classes[id] = foreign
        self._runtime.classes[id] = node

    def refresh(self) -> Mapping[str, NodeSpec]:
        """Asks every foreign node for its declaration again; returns those that have changed.

        A node that fails to answer now stays as it was.
        """
        changed: dict[str, NodeSpec] = {}
        with self._lock, self._runtime.listing_once():
            for id, foreign in self._classes.items():
                try:
                    spec = foreign.spec()
                except Exception:
                    LOG.warning("Custom nodes: %s of %s does not say its inputs.", id, foreign.module, exc_info=True)
                    continue
                if spec != self._registry[id]:
                    self._registry.replace(spec)
                    changed[id] = spec
            if self._server is not None:
                changed |= take_added(sys.modules["comfy.samplers"], self._registry, self._runtime.services)
        return changed


class TakenIdError(Exception):
    """A pack declares a node whose id is taken."""
