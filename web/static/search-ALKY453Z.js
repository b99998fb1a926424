import{a,b}from"/static/chunk-JIG2SGGR.js";import"/static/chunk-KYKGQFVX.js";import"/static/chunk-YOVSLNZ4.js";import"/static/chunk-2GUL5LRX.js";import"/static/chunk-NLJIB4RX.js";import"/static/chunk-7ECZM2YC.js";export{b as FieldTable,a as Search};
//# sourceMappingURL=/static/search-ALKY453Z.js.map
