/* What JupyterLab loads where coursekit is installed: four rules of style, and keys for wide tables. It is written as a module
   of webpack's federation looks to JupyterLab, so that nothing has to be built.

   JupyterLab breaks a printed line wherever the window ends (`word-break: break-all`), in the midst
   of a word of a check's message. With this a word is only broken where it is longer than a line.

   The ring around a button that keys have reached is a pale line of one pixel in ipywidgets.

   The line that stands for a folded cell goes on below the window's edge, with the dots at its end
   that say that there is more.

   In a narrow window long code in a sentence breaks, and a wide table scrolls within its cell: keys
   reach it, as a hand does. */
(() => {
  const rules = `
    .jp-OutputArea-output.jp-OutputArea-output pre { word-break: normal; }
    .jp-OutputArea-output .jupyter-button:focus-visible {
      outline: 3px solid var(--jp-brand-color1);
    }
    .jp-RenderedMarkdown :not(pre) > code { overflow-wrap: break-word; }
    .jp-InputPlaceholder .jp-Placeholder-content { min-width: 0; }
    .jp-InputPlaceholder .jp-PlaceholderText { overflow: hidden; text-overflow: ellipsis; }`;
  let waits = 0; // of many changes only the last is looked at: to ask for a width costs a layout
  const reach = () => {
    for (const shown of document.querySelectorAll(".jp-RenderedMarkdown")) {
      if (shown.scrollWidth > shown.clientWidth) shown.tabIndex = 0;
      else shown.removeAttribute("tabindex");
    }
  };
  const later = () => { clearTimeout(waits); waits = setTimeout(reach, 500); };
  const plugin = {
    id: "coursekit:style",
    description: "Printed lines break between words; keys reach wide tables; folded cells fit.",
    autoStart: true,
    activate: () => {
      const style = document.createElement("style");
      style.textContent = rules;
      document.head.append(style);
      new MutationObserver(later).observe(document.body, { childList: true, subtree: true });
      addEventListener("resize", later);
    },
  };
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB.coursekit = {
    init: () => {},
    get: () => Promise.resolve(() => ({ __esModule: true, default: plugin })),
  };
})();
