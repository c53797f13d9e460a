// Comfort for the rule editor: the sentence follows the typing, inputs fit the chosen fact, a picker can be searched.
// Everything comes from the page itself: the form is posted as 更新 does, and parts of the answer are put in place.

const WAIT_MS = 350;

for (const form of document.querySelectorAll("form[data-rule-form]")) follow(form);
searchable(document);

function follow(form) {
  let timer = null;
  let turn = 0;
  form.addEventListener("input", (event) => {
    if (event.target.closest("[data-no-post]")) return;
    turn += 1;
    clearTimeout(timer);
    const rebuild = "rebuild" in event.target.dataset;
    timer = setTimeout(() => refresh(turn, rebuild), rebuild ? 0 : WAIT_MS);
  });

  async function refresh(mine, rebuild) {
    try {
      const data = new FormData(form);
      data.set("action", "update");
      // form.action would be the buttons of that name
      const response = await fetch(form.getAttribute("action"), { method: "POST", body: data, credentials: "same-origin" });
      if (!response.ok || response.redirected || mine !== turn) return;
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (mine !== turn) return;
      for (const part of document.querySelectorAll("[data-live]")) replace(part, page);
      const builder = document.getElementById("builder");
      if (rebuild && builder) {
        const focused = document.activeElement?.id;
        replace(builder, page);
        searchable(builder);
        if (focused) document.getElementById(focused)?.focus();
      }
    } catch {
      // no network: the button 更新 says so
    }
  }
}

function replace(part, page) {
  const fresh = page.getElementById(part.id);
  if (fresh) part.innerHTML = fresh.innerHTML;
}

function searchable(root) {
  for (const select of root.querySelectorAll("select[data-search]")) {
    const all = [...select.children];
    const input = document.createElement("input");
    input.type = "search";
    input.className = "govuk-input app-search-facts";
    input.setAttribute("aria-label", select.dataset.search);
    input.placeholder = select.dataset.search;
    input.dataset.noPost = "";
    input.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
    input.addEventListener("input", () => {
      const words = input.value.trim().toLowerCase();
      const chosen = select.value;
      select.replaceChildren(...all.map((child) => filtered(child, words, chosen)).filter(Boolean));
      select.value = chosen;
    });
    select.before(input);
  }
}

function filtered(child, words, chosen) {
  if (child.tagName !== "OPTGROUP") return child;
  const group = child.cloneNode(false);
  const fits = (option) => option.value === chosen || option.text.toLowerCase().includes(words);
  group.append(...[...child.children].filter(fits).map((option) => option.cloneNode(true)));
  return group.children.length ? group : null;
}
