// pass: canonicalize
func.func @fires(%x: tensor<2x3xf32>, %i: tensor<3xi32>) -> (tensor<2x3xf32>, tensor<3xi32>) {
  %m0 = stablehlo.constant dense<-0.0> : tensor<2x3xf32>
  %c1 = stablehlo.constant dense<1.0> : tensor<2x3xf32>
  %p0 = stablehlo.constant dense<0.0> : tensor<2x3xf32>
  %a = stablehlo.add %m0, %x : tensor<2x3xf32>
  %b = stablehlo.multiply %a, %c1 : tensor<2x3xf32>
  %c = stablehlo.divide %b, %c1 : tensor<2x3xf32>
  %d = stablehlo.subtract %c, %p0 : tensor<2x3xf32>
  %z = stablehlo.constant dense<0> : tensor<3xi32>
  %f = stablehlo.constant dense<-1> : tensor<3xi32>
  %j = stablehlo.add %i, %z : tensor<3xi32>
  %k = stablehlo.and %j, %f : tensor<3xi32>
  return %d, %k : tensor<2x3xf32>, tensor<3xi32>
}
func.func @stays(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %p0 = stablehlo.constant dense<0.0> : tensor<2x3xf32>
  %a = stablehlo.add %x, %p0 : tensor<2x3xf32>
  %b = stablehlo.multiply %x, %p0 : tensor<2x3xf32>
  %c = stablehlo.subtract %x, %x : tensor<2x3xf32>
  return %a, %b, %c : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}
// expect:
func.func public @fires(%x: tensor<2x3xf32>, %i: tensor<3xi32>) -> (tensor<2x3xf32>, tensor<3xi32>) {
  return %x, %i : tensor<2x3xf32>, tensor<3xi32>
}
func.func public @stays(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %0 = stablehlo.constant dense<0.0> : tensor<2x3xf32>
  %1 = stablehlo.add %x, %0 : tensor<2x3xf32>
  %2 = stablehlo.multiply %x, %0 : tensor<2x3xf32>
  %3 = stablehlo.subtract %x, %x : tensor<2x3xf32>
  return %1, %2, %3 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}
