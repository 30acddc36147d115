'use strict';

// Elements. Words of strangers go through `text` alone, so nothing of them is
// ever read as HTML.

const SVG = 'http://www.w3.org/2000/svg';

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'text') node.textContent = value;
    else if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat('en');
const count = (value) => number.format(Number(value));

function many(value, word, plural = `${word}s`) {
  return `${count(value)} ${Number(value) === 1 ? word : plural}`;
}

function bytes(value) {
  let size = Number(value);
  for (const unit of ['bytes', 'KiB', 'MiB', 'GiB']) {
    if (size < 1024) return `${size < 10 && unit !== 'bytes' ? size.toFixed(1) : Math.round(size)} ${unit}`;
    size /= 1024;
  }
  return `${size.toFixed(1)} TiB`;
}

function duration(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 2 * 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
  return `${Math.floor(seconds / 86400)} d`;
}

// Tells those who cannot see what has changed.
function say(text) {
  byId('said').textContent = text;
}

function notice(text) {
  const node = byId('notice');
  node.textContent = text;
  node.hidden = text === '';
}

// A text with a button that copies it.
function copyable(text, what) {
  const button = el('button', {
    type: 'button',
    class: 'copy',
    text: 'Copy',
    'aria-label': `Copy ${what}`,
    async onclick() {
      getSelection().selectAllChildren(code);
      // Browsers offer it to pages of this machine and over TLS. Elsewhere what
      // is to be copied is at least chosen.
      if (navigator.clipboard === undefined) return;
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    },
  });
  const code = el('code', { text });
  return { code, node: el('div', { class: 'copyable' }, code, button) };
}
