// Buttons that copy the line beside them.

function offer(element) {
  for (const button of element.querySelectorAll("[data-copy]")) {
    button.hidden = !navigator.clipboard;
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const word = button.querySelector("span");
  const text = button.parentElement.querySelector("pre").textContent;
  word.textContent = await navigator.clipboard.writeText(text).then(() => "Copied", () => "Not allowed");
  setTimeout(() => (word.textContent = "Copy"), 1500);
});
document.addEventListener("replaced", (event) => offer(event.target));
offer(document);
