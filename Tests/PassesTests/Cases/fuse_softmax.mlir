// pass: canonicalize, fusion
func.func @main(%x: tensor<2x3x5xf32>) -> tensor<2x3x5xf32> {
  %l = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %m = stablehlo.reduce(%x init: %l) applies stablehlo.maximum across dimensions = [2] : (tensor<2x3x5xf32>, tensor<f32>) -> tensor<2x3xf32>
  %n = stablehlo.reshape %m : (tensor<2x3xf32>) -> tensor<2x3x1xf32>
  %o = stablehlo.broadcast_in_dim %n, dims = [0, 1, 2] : (tensor<2x3x1xf32>) -> tensor<2x3x5xf32>
  %d = stablehlo.subtract %x, %o : tensor<2x3x5xf32>
  %e = stablehlo.exponential %d : tensor<2x3x5xf32>
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %s = stablehlo.reduce(%e init: %z) applies stablehlo.add across dimensions = [2] : (tensor<2x3x5xf32>, tensor<f32>) -> tensor<2x3xf32>
  %t = stablehlo.broadcast_in_dim %s, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x5xf32>
  %r = stablehlo.divide %e, %t : tensor<2x3x5xf32>
  return %r : tensor<2x3x5xf32>
}
// count: fusion 1
// expect:
func.func public @main(%x: tensor<2x3x5xf32>) -> (tensor<2x3x5xf32>) {
  %0 = "tfc.fusion"(%x) ({
  ^bb0(%arg1: tensor<2x3x5xf32>):
    %1 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %2 = stablehlo.reduce(%arg1 init: %1) applies stablehlo.maximum across dimensions = [2] : (tensor<2x3x5xf32>, tensor<f32>) -> tensor<2x3xf32>
    %4 = stablehlo.broadcast_in_dim %2, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x5xf32>
    %5 = stablehlo.subtract %arg1, %4 : tensor<2x3x5xf32>
    %6 = stablehlo.exponential %5 : tensor<2x3x5xf32>
    %7 = stablehlo.constant dense<0.0> : tensor<f32>
    %8 = stablehlo.reduce(%6 init: %7) applies stablehlo.add across dimensions = [2] : (tensor<2x3x5xf32>, tensor<f32>) -> tensor<2x3xf32>
    %10 = stablehlo.broadcast_in_dim %8, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x5xf32>
    %11 = stablehlo.divide %6, %10 : tensor<2x3x5xf32>
    stablehlo.return %11 : tensor<2x3x5xf32>
  }) {anchor = "row"} : (tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
  return %0 : tensor<2x3x5xf32>
}
