// Forms that are sent once, and JSON that is looked at before it is sent.

for (const form of document.querySelectorAll("form[data-once]")) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  addEventListener("pageshow", () => (sent = false)); // somebody came back to it
}

for (const field of document.querySelectorAll("[data-json]")) {
  const wrong = field.parentElement.querySelector("[data-wrong]");
  const look = () => {
    let problem = "";
    try {
      JSON.parse(field.value || "{}");
    } catch (error) {
      problem = error.message;
    }
    field.setAttribute("aria-invalid", String(problem !== ""));
    wrong.textContent = problem;
  };
  field.addEventListener("input", look);
}

document.querySelector("[role=alert][tabindex]")?.focus();
