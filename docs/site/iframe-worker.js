// Browsers start no Worker for a page that is opened from the disk. There the search runs in a hidden frame instead.
if (location.protocol === 'file:') {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement('iframe')
      frame.hidden = true
      frame.srcdoc = '<script>postMessage = data => parent.postMessage(data, "*")</script>' +
        `<script src="${new URL(url, document.baseURI)}"></script>`
      this.ready = new Promise(resolve => frame.addEventListener('load', () => resolve(frame.contentWindow)))
      addEventListener('message', event => {
        if (event.source === frame.contentWindow) this.dispatchEvent(new MessageEvent('message', {data: event.data}))
      })
      document.body.append(frame)
    }

    postMessage(data) {
      this.ready.then(inside => inside.dispatchEvent(new MessageEvent('message', {data})))
    }
  }
}
