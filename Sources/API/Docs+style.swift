extension Docs {
    /// The page's one style, whose hash the policy names: readable from 320 px on, light and dark.
    static let style = """
        :root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--soft:#f3f5f7;--line:#c9d1d9;--link:#0550ae;--get:#116329}
        @media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--soft:#161b22;--line:#3d444d;--link:#79c0ff;--get:#7ee787}}
        *{box-sizing:border-box}
        body{margin:0;color:var(--ink);background:var(--paper);font:1rem/1.5 system-ui,sans-serif}
        a{color:var(--link)}
        :focus-visible{outline:3px solid var(--link);outline-offset:2px}
        .skip{position:absolute;left:-100vw}
        .skip:focus{left:1rem;top:1rem;padding:.5rem;background:var(--paper);z-index:1}
        nav,main{padding:1rem;min-width:0}
        nav{border-bottom:1px solid var(--line);font-size:.9rem}
        nav ul{margin:.25rem 0;padding:0;list-style:none}
        nav a{display:block;padding:.2rem 0;overflow-wrap:anywhere}
        summary{cursor:pointer;padding:.2rem 0}
        main{max-width:60rem}
        h1,h2,h3{line-height:1.25}
        h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}
        h3{margin:2rem 0 .5rem;overflow-wrap:anywhere}
        h3 b,nav b{color:var(--get);font-size:.85em}
        article{scroll-margin-top:1rem}
        article:target{outline:2px solid var(--link);outline-offset:.5rem}
        code,pre{font:.9em ui-monospace,monospace}
        code{background:var(--soft);padding:.1em .25em;border-radius:3px;overflow-wrap:anywhere}
        pre{background:var(--soft);padding:.75rem;margin:.5rem 0;overflow-x:auto;border:1px solid var(--line);border-radius:4px;line-height:1.4}
        .wide{overflow-x:auto;margin:.5rem 0}
        td code{overflow-wrap:normal}
        table{border-collapse:collapse;font-size:.9rem}
        th,td{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;border-bottom:1px solid var(--line)}
        td{min-width:4rem}
        @media(max-width:30rem){tr,td{display:block;border:0}tr{border-bottom:1px solid var(--line);padding:.3rem 0}td{padding:0}
        thead{position:absolute;left:-100vw}td code{overflow-wrap:anywhere}}
        @media(min-width:64rem){body{display:grid;grid-template-columns:20rem minmax(0,1fr)}
        nav{position:sticky;top:0;height:100vh;overflow-y:auto;border-bottom:0;border-right:1px solid var(--line)}}
        """
}
