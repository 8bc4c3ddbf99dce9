internal import Codegen
internal import IR
internal import Passes

/// What ops need of extents that only a run knows.
struct ExtentNeeds {
  /// What symbols may be: those of arguments before the run, the others when data decides them.
  var bounds: [Symbol: SymbolBounds] = [:]
  /// What the library checks before it runs.
  var early: [ExtentCheck] = []
  /// What the program checks when it knows the symbols that data decides.
  var late: [Program.Check] = []

  init() {}

  init(_ graph: Graph, bounds: [Symbol: SymbolBounds]) throws(OpError) {
    self.bounds = bounds
    let symbols = try graph.dataSymbols()
    let decided = Set(symbols.map(\.symbol))
    // On these bounds the checks rely that are not made.
    for data in symbols {
      let sentence = "\(data.symbol), which the data decides, must be at most \(data.most)"
      late.append(
        Program.Check(ExtentOrder(.symbol(data.symbol.name), atMost: data.most), exceptions: [], sentence: sentence))
    }
    for check in try graph.extentChecks(bounds: bounds) {
      if check.symbols.isDisjoint(with: decided) {
        early.append(check)
      } else {
        late.append(Program.Check(check.order, exceptions: check.exceptions, sentence: check.sentence))
      }
    }
  }
}
