// What check-browser boots: the same code in a page and in a worker. Each job resolves with a line of text or throws.
import { assemble } from '@tablewalk/arm-core';
import { Lockstep, VirtMachine } from '@tablewalk/board-qemu-virt';

const fail = (message) => {
  throw new Error(message);
};

/** What a machine never does is refused here, and what it may do is not. */
export async function policyInForce() {
  // The debugger's own call is exempt; a task of the page's is not.
  await new Promise((resolve) => setTimeout(resolve, 0));
  let refused = false;
  try {
    new Function('return 1')();
  } catch (error) {
    refused = error instanceof EvalError;
  }
  if (!refused) fail('JavaScript may be evaluated');
  await WebAssembly.compile(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  return 'WebAssembly compiles, JavaScript is not evaluated';
}

/** A guest assembled here prints two letters and powers off. */
export async function bootAssembled() {
  const text = [...'hi'].map((c) => `mov r0, #${c.charCodeAt(0)}\nstrb r0, [r1]\n`).join('');
  const kernel = assemble(`ldr r1, =0x09000000\n${text}ldr r0, =0x84000008\nhvc #0`, { origin: 0x40010000 }).bytes;
  const machine = new VirtMachine({ kernel });
  const events = [];
  machine.on('poweroff', ({ reason }) => events.push(reason));
  const seen = machine.console.waitFor('hi');
  const end = await machine.run();
  if (end.reason !== 'poweroff' || events.join() !== 'poweroff') fail(`ended with ${JSON.stringify(end)}, events ${events.join()}`);
  if ((await seen) !== 'hi') fail(`printed ${machine.console.tail()}`);
  return `${end.reason} after ${machine.instructions} instructions`;
}

/** Interpreted and translated, side by side and compared at each exit of a region: a loop with a call in it. */
export async function lockstep() {
  const source = `
    mov r4, #0
    mov r5, #5000
  again:
    bl sum
    subs r5, r5, #1
    bne again
    ldr r0, =0x84000008
    hvc #0
  sum:
    adds r4, r4, r5
    adc r4, r4, #0
    str r4, [sp, #-4]
    bx lr
    .ltorg`;
  const kernel = assemble(`ldr sp, =0x40100000\n${source}`, { origin: 0x40010000 }).bytes;
  const pair = new Lockstep(() => ({ kernel, memory: 8 << 20 }), { translation: { heat: 10, batch: 1 } });
  const end = pair.runFor(1e6);
  const difference = pair.finish();
  if (difference !== undefined) fail(difference.report);
  if (end.reason !== 'poweroff' || pair.exits < 5000) fail(`ended with ${JSON.stringify(end)} after ${pair.exits} exits of regions`);
  return `${pair.machine.instructions} instructions, ${pair.exits} exits of regions compared`;
}

/** U-Boot to its prompt; `poweroff` is typed; the machine ends. */
export const bootUBoot = () => uBoot({ engine: 'interpreter' });

/** The same, translated to WebAssembly. */
export const bootUBootTranslated = () => uBoot({ engine: 'wasm' });

async function uBoot(options) {
  const bios = new Uint8Array(await (await fetch('/u-boot.bin')).arrayBuffer());
  const machine = new VirtMachine({ bios, ...options });
  const running = machine.run();
  await machine.console.waitFor('stop autoboot');
  machine.send('\r');
  await machine.console.waitFor('=> ');
  machine.send('poweroff\r');
  const end = await running;
  if (end.reason !== 'poweroff') fail(`ended with ${JSON.stringify(end)}`);
  const { regions } = machine.cpu.core.translated;
  if (regions > 50 !== (options.engine === 'wasm')) fail(`${regions} regions were translated`);
  return `${end.reason} after ${machine.instructions} instructions, ${regions} regions`;
}
