// The pages work without this file. With it an upload shows how far it is, and an undeployment is asked about once.
"use strict";

const upload = document.getElementById("upload");
if (upload) {
  upload.addEventListener("submit", (event) => {
    event.preventDefault();
    const bar = upload.querySelector("progress");
    const button = upload.querySelector("button");
    const request = new XMLHttpRequest();
    request.open("POST", upload.action);
    request.upload.addEventListener("progress", (progress) => {
      if (progress.lengthComputable) {
        bar.value = 100 * progress.loaded / progress.total;
      }
    });
    const show = (html) => {
      const made = new DOMParser().parseFromString(html, "text/html");
      document.body.replaceWith(made.body);
      location.replace("#message");
    };
    request.addEventListener("load", () => show(request.responseText));
    request.addEventListener("error", () => {
      bar.hidden = true;
      button.disabled = false;
      document.getElementById("message").textContent = "FAIL - The connection broke off during the upload";
    });
    bar.hidden = false;
    button.disabled = true;
    request.send(new FormData(upload));
  });
}

for (const form of document.querySelectorAll("form.careful")) {
  form.addEventListener("submit", (event) => {
    if (!confirm(`${form.querySelector("button").getAttribute("aria-label")}? Its files are deleted.`)) {
      event.preventDefault();
    }
  });
}
