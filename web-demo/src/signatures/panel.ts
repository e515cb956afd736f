import './signatures.css';

import type { WebhookVerdict } from '@fluxora/core';

import type { CreatePanel } from '../app.js';
import { h } from '../ui/dom.js';
import { createArrivedCard } from './arrived_card.js';
import { createCurlCard } from './curl_card.js';
import { newSecret, sign, untouched, verdictOn, type Draft, type Received, type Sent } from './delivery.js';
import { differences, putBack } from './differences.js';
import { createReceiverCode } from './receiver_code.js';
import { SAMPLE_DELIVERY } from './sample_delivery.js';
import { createSenderCard, unixNow } from './sender_card.js';
import { createVerdictCard } from './verdict_card.js';
import { createWayCard } from './way_card.js';

const INTRODUCTION = 'Every webhook is signed, and anybody who knows the secret can check it. Sign one, change what ' +
  'you like on its way, and see what a receiver answers and why.';

/** Sign, tamper, and see what a receiver answers. Every verdict is the core's. */
export const create: CreatePanel = (app) => {
  const { core, announce } = app;
  /** A secret that signs nothing here. */
  const another = newSecret();
  const first: Draft = { secret: newSecret(), timestamp: unixNow(), ...SAMPLE_DELIVERY };
  let sent: Sent | null = null;
  let received: Received;
  let outcome: WebhookVerdict;

  const sender = createSenderCard(app, first, (draft) => { send(draft); say(); });
  const way = createWayCard(
    (tampering) => change((now) => (sent === null ? now : tampering.apply(now, sent))),
    () => change((now) => (sent === null ? now : untouched(sent))));
  const verdict = createVerdictCard((place) => change((now) => (sent === null ? now : putBack(now, sent, place))));
  const arrived = createArrivedCard(change);
  const curl = createCurlCard(app);
  const receiver = createReceiverCode(app);

  /** A new signature is a new delivery: nothing has happened to it. */
  function send(draft: Draft): void {
    const signed = sign(core, draft);
    sender.draw(signed);
    if ('headers' in signed) {
      sent = signed;
      received = untouched(signed);
      draw();
      return;
    }
    sent = null;
    verdict.drawNothing(signed);
    way.draw(null, received);
    arrived.draw(null, received);
    curl.draw(null);
  }

  function change(how: (received: Received) => Received): void {
    if (sent === null) return;
    received = how(received);
    draw();
    say();
  }

  function draw(): void {
    if (sent === null) return;
    outcome = verdictOn(core, sent, received, another);
    verdict.draw(sent, received, outcome, differences(sent, received));
    way.draw(sent, received);
    arrived.draw(sent, received);
    curl.draw(received);
  }

  function say(): void {
    announce(sent === null ? 'Nothing can be signed.' : `Verdict: ${outcome.code}, ${outcome.status}`);
  }

  send(first);
  const element = h('div', { class: 'panel signatures' },
    h('div', { class: 'intro' }, h('h2', { text: 'Signatures' }),
      h('p', { class: 'how', text: INTRODUCTION })),
    h('div', { class: 'bench' }, sender.element, way.element, verdict.element, arrived.element,
      h('div', { class: 'strip-way' }, verdict.strip)),
    h('div', { class: 'own' }, receiver.element, curl.element));
  return { element, title: 'Signatures', show: () => receiver.show(), hide() {} };
};
