// The pages of the cluster and of the status are whole without this file. With it their tables, charts and events move: the server
// sends the part that moves, by events or when it is asked, and what differs is changed in place: focus and selection stay.
"use strict";

// Make a node like another one. Elements with an id are recognised by it, wherever they have moved.
function morph(node, wanted) {
  if (node.nodeType !== wanted.nodeType || node.nodeName !== wanted.nodeName || node.id !== wanted.id) {
    node.replaceWith(wanted.cloneNode(true));
    return;
  }
  if (node.nodeType !== Node.ELEMENT_NODE) {
    if (node.data !== wanted.data) {
      node.data = wanted.data;
    }
    return;
  }
  for (const { name } of [...node.attributes]) {
    if (!wanted.hasAttribute(name)) {
      node.removeAttribute(name);
    }
  }
  for (const { name, value } of wanted.attributes) {
    if (node.getAttribute(name) !== value) {
      node.setAttribute(name, value);
    }
  }
  morphChildren(node, wanted);
}

function morphChildren(node, wanted) {
  const known = new Map([...node.children].filter((child) => child.id).map((child) => [child.id, child]));
  let place = node.firstChild;
  for (const child of wanted.childNodes) {
    const same = child.id ? known.get(child.id) : place && !place.id ? place : null;
    if (!same) {
      node.insertBefore(child.cloneNode(true), place);
    } else {
      if (same !== place) {
        move(node, same, place);
      } else {
        place = place.nextSibling;
      }
      morph(same, child);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

// Move an element; what has the focus in it keeps it.
function move(node, child, place) {
  const focused = child.contains(document.activeElement) ? document.activeElement : null;
  node.insertBefore(child, place);
  if (focused) {
    focused.focus({ preventScroll: true });
  }
}

const liveness = document.getElementById("liveness");
const live = document.getElementById("live");
if (liveness && live) {
  let ways = null;
  const words = document.createElement("span");
  const button = document.createElement("button");
  button.type = "button";
  liveness.replaceChildren(words, " ", button);

  const say = (text) => {
    if (words.textContent !== text) {
      words.textContent = text;
    }
  };
  const show = (html) => {
    const made = new DOMParser().parseFromString(html, "text/html");
    morphChildren(live, made.getElementById("live") || made.body);
    say("Live.");
  };
  const stop = (text) => {
    if (ways) {
      ways.close();
      ways = null;
    }
    button.textContent = "Go on";
    say(text);
  };
  const listen = (address) => {
    const source = new EventSource(address);
    source.addEventListener("live", (event) => show(event.data));
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) {
        stop("Not live: this node lets nobody more watch, or you are no longer logged in.");
      } else {
        say("Not live: the connection has ended and is made anew.");
      }
    });
    return source;
  };
  const poll = (address) => {
    const look = async () => {
      if (document.hidden) {
        return;
      }
      try {
        const answer = await fetch(address);
        if (answer.ok) {
          show(await answer.text());
        } else {
          stop(`Not live: the server answers ${answer.status}.`);
        }
      } catch {
        say("Not live: the server does not answer.");
      }
    };
    const timer = setInterval(look, 2000);
    return { close: () => clearInterval(timer) };
  };
  const start = () => {
    button.textContent = "Pause";
    say("Connecting ...");
    const { events, poll: page } = liveness.dataset;
    const address = new URL(events || page, location.origin); // without a login that the page's own address may have
    ways = events ? listen(address) : poll(address);
  };
  button.addEventListener("click", () => (ways ? stop("Paused.") : start()));
  start();
}

document.addEventListener("submit", (event) => {
  const pressed = event.submitter;
  if (pressed && /^(expire|roll-back) /.test(pressed.value) && !confirm(`${pressed.getAttribute("aria-label")}?`)) {
    event.preventDefault();
  }
});
