/** Ticks of an import: all of a block at once, and how many there are. Without it every tick is made by hand. */

const form = document.getElementById("changes");
const chosen = document.getElementById("chosen");

function boxesIn(part) {
  return [...part.querySelectorAll('input[name="tick"]')];
}

function count() {
  const boxes = boxesIn(form);
  chosen.textContent = `${boxes.filter((box) => box.checked).length} of ${boxes.length} ticked`;
}

function offer(place) {
  const list = document.getElementById(place.dataset.block);
  if (boxesIn(list).length < 2) return;
  for (const [words, wanted] of [["Tick all", true], ["Tick none", false]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "act";
    button.textContent = words;
    button.addEventListener("click", () => {
      for (const box of boxesIn(list)) box.checked = wanted;
      count();
    });
    place.append(button);
  }
  place.hidden = false;
}

if (form) {
  for (const place of form.querySelectorAll(".all")) offer(place);
  form.addEventListener("change", count);
  count();
}
