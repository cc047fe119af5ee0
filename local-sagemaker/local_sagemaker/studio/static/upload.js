// Files go to the page that takes them one after the other, as they are: a form would be held in memory.
(() => {
  "use strict";
  const send = (address, file, say) => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${address}&name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => { if (event.total) say(`${file.name}: ${Math.round(100 * event.loaded / event.total)} %`); };
    request.onerror = () => reject(new Error("The service does not respond."));
    request.onload = () => {
      let response = {};
      try { response = JSON.parse(request.responseText); } catch { /* not one of the page's own responses */ }
      if (request.status === 200) resolve(response.href);
      else reject(new Error(response.error ? response.error.message : `The service responded with ${request.status}.`));
    };
    request.send(file);
  });
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.upload) return;
    event.preventDefault();
    const line = document.querySelector("#status"), button = form.querySelector("button");
    const say = (text) => { line.textContent = text; };
    button.disabled = true;
    try {
      let target = "";
      for (const file of form.elements.files.files) target = await send(form.dataset.upload, file, say);
      if (target) location.href = target;
    } catch (error) {
      say(error.message);
      button.disabled = false;
    }
  });
})();
