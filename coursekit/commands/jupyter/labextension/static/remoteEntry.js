/* What JupyterLab loads where coursekit is installed: three rules of style. It is written as a module
   of webpack's federation looks to JupyterLab, so that nothing has to be built.

   JupyterLab breaks a printed line wherever the window ends (`word-break: break-all`), in the midst
   of a word of a check's message. With this a word is only broken where it is longer than a line.

   The ring around a button that keys have reached is a pale line of one pixel in ipywidgets.

   The line that stands for a folded cell goes on below the window's edge, with the dots at its end
   that say that there is more. */
(() => {
  const rules = `
    .jp-OutputArea-output.jp-OutputArea-output pre { word-break: normal; }
    .jp-OutputArea-output .jupyter-button:focus-visible {
      outline: 3px solid var(--jp-brand-color1);
    }
    .jp-InputPlaceholder .jp-Placeholder-content { min-width: 0; }
    .jp-InputPlaceholder .jp-PlaceholderText { overflow: hidden; text-overflow: ellipsis; }`;
  const plugin = {
    id: "coursekit:style",
    description: "Printed lines break between words; what keys have reached is seen; folded cells fit.",
    autoStart: true,
    activate: () => {
      const style = document.createElement("style");
      style.textContent = rules;
      document.head.append(style);
    },
  };
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB.coursekit = {
    init: () => {},
    get: () => Promise.resolve(() => ({ __esModule: true, default: plugin })),
  };
})();
