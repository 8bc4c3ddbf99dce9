// pass: canonicalize, separate-kernels
func.func @main(%x: tensor<2x3xf32>, %y: tensor<6xf32>) -> tensor<6xf32> {
  %e = stablehlo.exponential %x : tensor<2x3xf32>
  %r = stablehlo.reshape %e : (tensor<2x3xf32>) -> tensor<6xf32>
  %s = stablehlo.add %r, %y : tensor<6xf32>
  return %s : tensor<6xf32>
}
// count: fusion 2
// expect:
func.func public @main(%x: tensor<2x3xf32>, %y: tensor<6xf32>) -> (tensor<6xf32>) {
  %0 = "tfc.fusion"(%x) ({
  ^bb0(%arg2: tensor<2x3xf32>):
    %1 = stablehlo.exponential %arg2 : tensor<2x3xf32>
    stablehlo.return %1 : tensor<2x3xf32>
  }) {anchor = "loop"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %2 = stablehlo.reshape %0 : (tensor<2x3xf32>) -> tensor<6xf32>
  %3 = "tfc.fusion"(%2, %y) ({
  ^bb0(%arg3: tensor<6xf32>, %arg4: tensor<6xf32>):
    %4 = stablehlo.add %arg3, %arg4 : tensor<6xf32>
    stablehlo.return %4 : tensor<6xf32>
  }) {anchor = "loop"} : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  return %3 : tensor<6xf32>
}
