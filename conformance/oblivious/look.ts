/** A step that was taken, as the tracker looks at it. */
import { isSealed, type Capability } from "../../spec/cheri/index.js";
import type { Config } from "../../spec/sfork/config.js";
import { integer, register, type Context } from "../../spec/sfork/context.js";
import type { Machine } from "../../spec/sfork/machine.js";
import { effective } from "../../spec/sfork/memory-access.js";
import type { Observation } from "../../spec/sfork/observation.js";
import type { Integer } from "../../spec/sfork/operation.js";
import { elsewhere, isPlaced, moveAlike } from "./place.js";
import type { Bits, Shadow } from "./shadow.js";

export class Look {
  /** The machine before the step, and who took it. */
  readonly context: Context;
  readonly after: Machine;
  readonly observation: Observation;
  readonly shadow: Shadow;
  /** Of the machine beside it, on which things lie elsewhere. */
  readonly #other: Config;

  constructor(context: Context, after: Machine, observation: Observation, shadow: Shadow, other: Config) {
    this.context = context;
    this.after = after;
    this.observation = observation;
    this.shadow = shadow;
    this.#other = other;
  }

  get before(): Machine {
    return this.context.machine;
  }

  value(index: number): Capability {
    return register(this.context, index);
  }

  integer(operand: Integer): bigint {
    return integer(this.context, operand);
  }

  /** The numbers in a register are address-derived. */
  isDerived(...registers: readonly number[]): boolean {
    return registers.some((index) => this.shadow.registers.get(this.context.thread, index));
  }

  isDerivedInteger(operand: Integer): boolean {
    return "register" in operand && this.isDerived(operand.register);
  }

  /** An instruction that derives from this register gives an untagged result, whatever else it is given. */
  isInert(index: number): boolean {
    const value = this.value(index);
    return !value.tag || isSealed(this.context.format, value);
  }

  isPlaced(index: number): boolean {
    return isPlaced(this.before, this.value(index));
  }

  moveAlike(one: number, two: number): boolean {
    return moveAlike(this.before, this.value(one), this.value(two));
  }

  /** What the register holds on the machine beside it; only tagged ones, and those without the bit, are known. */
  elsewhere(index: number): Capability {
    return elsewhere(this.before, this.value(index), this.#other);
  }

  /** Where an access through a register goes. */
  address(authority: number, offset: Integer = { immediate: 0n }): bigint {
    return effective(this.context.format, this.value(authority), this.integer(offset));
  }

  /** The step gave a capability with a tag. */
  get gaveTagged(): boolean {
    return this.observation.kind === "capability" && this.observation.capability.tag;
  }

  /** Bytes that a step takes from memory. */
  bytes(address: bigint, size: bigint | number): Bits {
    return this.shadow.memory.read(address, Number(size));
  }
}
