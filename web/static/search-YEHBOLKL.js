import{a,b}from"/static/chunk-6CMIH54R.js";import"/static/chunk-WSL3IGFU.js";import"/static/chunk-N3D252IQ.js";import"/static/chunk-ATQHQMT7.js";import"/static/chunk-UUGDAWHF.js";import"/static/chunk-FS2CJHXS.js";export{b as FieldTable,a as Search};
//# sourceMappingURL=/static/search-YEHBOLKL.js.map
