/* What JupyterLab loads where coursekit is installed: one rule of style. It is written as a module
   of webpack's federation looks to JupyterLab, so that nothing has to be built.

   JupyterLab breaks a printed line wherever the window ends (`word-break: break-all`), in the midst
   of a word of a check's message. With this a word is only broken where it is longer than a line. */
(() => {
  const rule = ".jp-OutputArea-output.jp-OutputArea-output pre { word-break: normal; }";
  const plugin = {
    id: "coursekit:words",
    description: "Lines that a cell prints break between words.",
    autoStart: true,
    activate: () => {
      const style = document.createElement("style");
      style.textContent = rule;
      document.head.append(style);
    },
  };
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB.coursekit = {
    init: () => {},
    get: () => Promise.resolve(() => ({ __esModule: true, default: plugin })),
  };
})();
