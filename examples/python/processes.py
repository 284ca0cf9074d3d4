#!/usr/bin/env python3
"""Processes without memory: fork, exit and wait, as an implementation that speaks the protocol (docs/protocol.md) by itself.

    npx sfork check --impl exec:"python3 examples/python/processes.py"

It shows what takes part in the protocol, and how little of it: one line in, one line out. What it is asked to do with
capabilities is to put integers into registers.
"""

import json
import sys

OPERATIONS = ["li", "yield", "getpid", "getppid", "fork", "exit", "wait"]
HELLO = {
    "type": "hello",
    "protocol": 1,
    "name": "processes.py",
    "formats": ["cheri128-v9"],
    "strategies": ["posix"],
    "operations": OPERATIONS,
    # The level where every process has an address space of its own: nothing here depends on where regions lie.
    "addresses": "configured",
}


class Process:
    def __init__(self, pid, parent):
        self.pid = pid
        self.parent = parent
        self.registers = [0] * 16
        self.status = None  # of a zombie
        self.ended = None  # when: zombies are reaped in that order
        self.reaped = False

    @property
    def lives(self):
        return self.status is None


class Machine:
    def __init__(self, config):
        self.config = config
        self.processes = [Process(1, None)]
        # What a process starts with: addresses in its region, of which only the numbers are known here.
        self.processes[0].registers = start_registers(config)
        self.ends = 0
        self.used_slots = 1

    def living(self):
        return [one for one in self.processes if one.lives]

    def integer(self, process, operand):
        if isinstance(operand, str) and operand.startswith("c"):
            return process.registers[int(operand[1:])]
        return int(operand, 0) % 2**64 if isinstance(operand, str) else operand % 2**64

    def step(self, step):
        process = self.processes[step["process"]]
        return getattr(self, step["op"])(process, step)

    def give(self, process, register, value):
        process.registers[register] = value
        return {"int": hex(value)}

    def li(self, process, step):
        return self.give(process, step["cd"], self.integer(process, step["n"]))

    def getpid(self, process, step):
        return self.give(process, step["cd"], process.pid)

    def getppid(self, process, step):
        parent = process.parent
        return self.give(process, step["cd"], 0 if parent is None else self.processes[parent].pid)

    def fork(self, process, step):
        config = self.config
        there = [one for one in self.processes if not one.reaped]
        free = config["slots"] - (self.used_slots if config["reuse"] == "never" else len(self.living()))
        # FORK-1: every page that a process has mapped takes a frame, at once: its data, its stack, its code.
        pages = config["pages"] // 2 + 2
        errors = []
        if len(there) >= config["processes"] or free <= 0:
            errors.append("EAGAIN")
        if (len(self.living()) + 1) * pages > config["frames"]:
            errors.append("ENOMEM")
        if errors:
            return {"error": errors[0]}
        taken = {one.pid for one in there} | {1}
        child = Process(next(pid for pid in range(1, 2**31) if pid not in taken), self.processes.index(process))
        child.registers = list(process.registers)
        child.registers[step["cd"]] = 0
        process.registers[step["cd"]] = child.pid
        self.processes.append(child)
        self.used_slots += 1
        return {"child": len(self.processes) - 1}

    def exit(self, process, step):
        process.status = self.integer(process, step["n"]) & 0xFF
        process.ended = self.ends
        self.ends += 1
        ordinal = self.processes.index(process)
        for one in self.processes:
            if one.parent == ordinal:
                one.parent = 0
        return {"none": True}

    def wait(self, process, step):
        ordinal = self.processes.index(process)
        children = [
            (index, one)
            for index, one in enumerate(self.processes)
            if index != 0 and one.parent == ordinal and not one.reaped and step.get("whom", index) == index
        ]
        if not children:
            return {"error": "ECHILD"}
        zombies = sorted((one.ended, index, one) for index, one in children if not one.lives)
        if not zombies:
            return {"wouldBlock": True}
        _, index, child = zombies[0]
        child.reaped = True
        process.registers[step["cd"]] = child.pid
        return {"process": index, "status": {"exited": child.status}}


# A word that Python has taken.
setattr(Machine, "yield", lambda self, process, step: {"none": True})


def start_registers(config):
    """Addresses of what a process starts with (docs/programs.md)."""
    base, page, pages = int(config["base"], 0), config["page"], config["pages"]
    end = base + config["slots"] * int(config["stride"], 0)
    registers = [0] * 16
    registers[1] = base
    registers[2] = base + (pages - 2) * page
    registers[3] = base + (pages - 1) * page
    registers[4] = 4  # the first of the object types that it may seal with
    registers[6] = end
    registers[5] = end + config["shared"] * page
    return registers


def main():
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "hello":
            answer = HELLO
        else:
            machine = Machine(message["config"])
            answer = {
                "type": "result",
                "id": message["id"],
                "observations": [machine.step(step) for step in message["steps"]],
            }
        print(json.dumps(answer, separators=(",", ":")), flush=True)


if __name__ == "__main__":
    main()
