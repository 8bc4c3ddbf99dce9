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
    let decided = Set(try graph.dataSymbols().map(\.symbol))
    for check in try graph.extentChecks(bounds: bounds) {
      if check.symbols.isDisjoint(with: decided) {
        early.append(check)
      } else {
        late.append(Program.Check(check.order, exceptions: check.exceptions, sentence: check.sentence))
      }
    }
  }
}
