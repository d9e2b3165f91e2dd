// Notes how far the film or track has come, and goes on from there. Everything else works without this script.
"use strict";
const player = document.querySelector("[data-progress]");
if (player) {
  const trouble = document.querySelector(".trouble");
  const begin = Number(player.dataset.position) / 1000;
  let told = -1;
  const tell = () => {
    if (!player.duration || !player.currentTime || Math.abs(player.currentTime - told) < 1) return;
    told = player.currentTime;
    const duration = Number.isFinite(player.duration) ? player.duration : 0;
    fetch(player.dataset.progress, {
      method: "POST", keepalive: true, credentials: "same-origin",
      body: new URLSearchParams({
        action: "note", invite_form: player.dataset.token,
        positionMs: Math.round(player.currentTime * 1000), durationMs: Math.round(duration * 1000),
      }),
    }).catch(() => {});
  };
  player.addEventListener("loadedmetadata", () => {
    if (begin > 0 && begin < player.duration - 5) { told = begin; player.currentTime = begin; }
  });
  player.addEventListener("pause", tell);
  player.addEventListener("ended", tell);
  player.addEventListener("error", () => { trouble.hidden = false; });
  document.addEventListener("visibilitychange", tell);
  setInterval(() => { if (!player.paused) tell(); }, 10000);
}
